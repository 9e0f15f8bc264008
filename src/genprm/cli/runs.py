"""Runs of other commands as input: their rows, and the specs they were made under."""

from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from genprm.dataset import read_rows
from genprm.errors import InputError
from genprm.journal import run_file
from genprm.records.record import JsonObject, Row
from genprm.records.run_spec import RunSpec, read_spec
from genprm.records.validation import field_fault
from genprm.records.verdicts import VerdictRow

R = TypeVar("R", bound=Row)


def spec_of(path: Path) -> RunSpec:
    """The configuration that a run's file records.

    Raises:
        InputError: there is no run file, or it is damaged.
    """
    claim = run_file(path)
    try:
        return read_spec(claim.read_bytes())
    except (OSError, ValueError):
        raise InputError(
            f"{claim}: the file is missing or damaged; "
            "fix: name the --output of a genprm command, "
            "with its .run.json beside it"
        ) from None


def rows_of(path: Path, row_type: type[R]) -> list[R]:
    """The rows of a run, without those that failed.

    Raises:
        InputError: the file cannot be read, has none, or holds rows of another command.
    """
    rows = [
        _parsed(place, row, row_type)
        for place, row in read_rows(str(path))
        if row.get("kind") != "failed"
    ]
    if not rows:
        raise InputError(f"{path}: the run has no rows yet; fix: let its command finish")
    return rows


def verdict_rows(path: Path) -> list[VerdictRow]:
    """The rows of a run of `genprm verify`; raises as `rows_of`."""
    return rows_of(path, VerdictRow)


def label_of(row: VerdictRow, field: str) -> int | None:
    """The first error that the input row gave in `field`, where it gave one."""
    label = (row.model_extra or {}).get(field)
    return label if isinstance(label, int) and not isinstance(label, bool) else None


def _parsed(place: str, row: JsonObject, row_type: type[R]) -> R:
    try:
        return row_type.model_validate(row)
    except ValidationError as error:
        raise InputError(
            f"{place}: not a {row_type.__name__}: {field_fault(error)}; "
            "fix: name the --output of the right genprm command"
        ) from None
