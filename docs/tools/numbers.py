"""Figures that pages quote, compared with the files that hold them, so that neither drifts alone.

A file `docs/numbers/NAME.json` holds `source` (the command or paper that the figures come from),
`pages`, and `figures`, texts that every one of these pages must contain as they are.
"""

import json
from pathlib import Path

FOLDER = Path("docs/numbers")


def faults() -> list[str]:
    """What pages do not say as the files do, one line each."""
    wrong = []
    for path in sorted(FOLDER.glob("*.json")):
        held = json.loads(path.read_text("utf-8"))
        for page in held["pages"]:
            text = Path(page).read_text("utf-8")
            wrong += [
                f"{page}: does not hold {figure!r} of {path}; fix: correct the one that is wrong"
                for figure in held["figures"]
                if figure not in text
            ]
    return wrong
