"""The page and its runs as files that open from disk, without a server.

A page that is opened from disk cannot fetch files. So the data are scripts, each of which passes
one JSON text to the page, which loads them as it needs them.

    DIR/index.html, app.js, app.css, fonts
    DIR/data/index.js           the runs
    DIR/data/0/list.js          the summaries of run 0
    DIR/data/0/rows-0.js        its first rows whole, the next ones in rows-1.js, …
    DIR/data/0/funnel.js        of a curation
    DIR/data/0/corrections.js
"""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

from pydantic import JsonValue

from genprm.errors import InputError
from genprm.viewer.app import STATIC
from genprm.viewer.evidence import mark_evidence
from genprm.viewer.guard import POLICY
from genprm.viewer.index import RunIndex
from genprm.viewer.library import Library

ROWS_A_FILE = 25
_MARK = "data/index.js"


def export_bundle(library: Library, folder: Path) -> Path:
    """Write the page with all runs of a library, and return the file to open.

    Raises:
        InputError: the folder holds something else, or cannot be written.
    """
    if folder.exists() and any(folder.iterdir()) and not (folder / _MARK).exists():
        raise InputError(f"{folder}: the folder is not empty; fix: name a new or empty folder")
    draft = folder.with_name(folder.name + ".draft")
    try:
        shutil.rmtree(draft, ignore_errors=True)
        shutil.copytree(STATIC, draft)
        _write_page(draft / "index.html")
        infos = [info.model_copy(update={"path": ""}) for info in library.build()]
        runs: list[JsonValue] = [dict(info.json_object()) for info in infos]
        _write(draft, "index", {"runs": runs, "live": False, "bundle": True, "chunk": ROWS_A_FILE})
        for info in infos:
            _write_run(draft, library, info.number)
        shutil.rmtree(folder, ignore_errors=True)
        draft.replace(folder)
    except OSError as error:
        raise InputError(f"{folder}: {error.strerror}; fix: name another folder") from None
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return folder / "index.html"


def _write_page(page: Path) -> None:
    """Write the page with the list of runs, and with its security policy as a tag."""
    policy = POLICY.replace("; frame-ancestors 'none'", "")  # a tag may not say this part
    for kind in ("script", "style", "font", "img"):
        policy = policy.replace(f"{kind}-src 'self'", f"{kind}-src 'self' file:")
    meta = f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
    text = page.read_text("utf-8")
    text = text.replace("<head>", f'<head>\n{meta}\n<script defer src="./{_MARK}"></script>', 1)
    page.write_text(text, "utf-8")


def _write_run(folder: Path, library: Library, number: int) -> None:
    index = library.index(number)
    assert index is not None
    rows = index.verdicts()
    names: list[JsonValue] = [row.fingerprint for row in rows]
    found = index.summaries(row.number for row in rows)
    summaries: list[JsonValue] = [dict(summary.json_object()) for summary in found]
    _write(folder, f"{number}/list", {"entries": summaries, "fingerprints": names})
    for start in range(0, max(len(summaries), 1), ROWS_A_FILE):
        _write(folder, f"{number}/rows-{start // ROWS_A_FILE}", _rows(index, start))
    stages: list[JsonValue] = [dict(stage.json_object()) for stage in library.funnel(number)]
    _write(folder, f"{number}/funnel", {"stages": stages})
    _write(folder, f"{number}/corrections", dict(library.corrections(number).json_object()))


def _rows(index: RunIndex, start: int) -> Sequence[JsonValue]:
    documents = (index.document(number) for number in range(start, start + ROWS_A_FILE))
    return [dict(mark_evidence(one).json_object()) for one in documents if one is not None]


def _write(folder: Path, name: str, value: JsonValue | Sequence[JsonValue]) -> None:
    """Write a script that passes one JSON text to the page; it is ASCII, so it cannot end early."""
    file = folder / "data" / f"{name}.js"
    file.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(json.dumps(value)).replace("<", "\\u003c")
    key = json.dumps(name)
    file.write_text(
        f"(globalThis.genprmBundle ??= {{}})[{key}] = {text};\n",
        "ascii",
    )
