"""Runs of other commands as input: their rows, and the settings that made them."""

import json
from pathlib import Path
from typing import Any

from genprm.dataset import read_rows
from genprm.errors import InputError
from genprm.verdict import SolutionVerdict
from genprm.verify.rows import from_row

Row = dict[str, Any]


def settings_of(path: Path) -> Row:
    """What a journal's run file says about how its rows were made.

    Raises:
        InputError: there is no run file, or it is damaged.
    """
    claim = path.with_name(path.name + ".run.json")
    try:
        settings: Row = json.loads(claim.read_bytes())
    except (OSError, ValueError):
        raise InputError(
            f"{claim}: missing or damaged; fix: name the --output of a genprm command, "
            "with its .run.json beside it"
        ) from None
    return settings


def rows_of(path: Path) -> list[Row]:
    """The rows of a run.

    Raises:
        InputError: the file cannot be read, or has none.
    """
    rows = [row for _, row in read_rows(str(path))]
    if not rows:
        raise InputError(f"{path}: no rows; fix: let its command finish")
    return rows


def verdicts_of(path: Path) -> list[SolutionVerdict]:
    """The verdicts of a run of `genprm verify`.

    Raises:
        InputError: the rows are not of that kind.
    """
    try:
        return [from_row(row) for row in rows_of(path)]
    except (KeyError, TypeError) as error:
        raise InputError(
            f"{path}: not rows of genprm verify ({error}); fix: its --output"
        ) from None
