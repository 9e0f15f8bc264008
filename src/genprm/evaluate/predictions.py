"""Stored predictions, JSONL of `id` and `first_error`, to be scored without a model."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from genprm.bad_rows import BadRows
from genprm.errors import InputError
from genprm.evaluate.labelled import LabelledSolution
from genprm.files import Row, as_object, read_file


@dataclass(frozen=True, slots=True)
class Predictions:
    """Predicted first errors by id; None where the row abstains or cannot be read.

    `unreadable` says by id why a value counts as an abstention.
    """

    first_errors: Mapping[str, int | None]
    unreadable: Mapping[str, str] = field(default_factory=dict)

    def unknown(self, rows: Sequence[LabelledSolution]) -> list[str]:
        """The ids of predictions that match no row."""
        known = {row.id for row in rows}
        return [identity for identity in self.first_errors if identity not in known]


def read_predictions(path: Path, bad: BadRows | None = None) -> Predictions:
    """Read predictions; the official script's output (`prediction`) is read as well.

    Raises:
        InputError: a line is not JSON, has no id, or repeats one; only where `bad` does not skip
            it. Of repeated ids the first line counts.
    """
    bad = bad or BadRows()
    first_errors: dict[str, int | None] = {}
    unreadable: dict[str, str] = {}
    for place, row in read_file(str(path)).rows():
        with bad.row():
            fields = as_object(place, row)
            identity = _identity(place, fields)
            if identity in first_errors:
                raise InputError(f"{place}: the id {identity!r} is repeated; fix: keep one of them")
            value = fields.get("first_error", fields.get("prediction"))
            first_errors[identity] = _index(value)
            if value is not None and first_errors[identity] is None:
                unreadable[identity] = f"{place}: first_error {value!r} is no index"
            elif "first_error" not in fields and "prediction" not in fields:
                unreadable[identity] = f"{place}: no field first_error"
    return Predictions(first_errors, unreadable)


def _identity(place: str, fields: Row) -> str:
    identity = fields.get("id")
    if not isinstance(identity, str | int) or isinstance(identity, bool):
        raise InputError(
            f"{place}: the field id is missing; fix: add the id of the row that it predicts"
        )
    return str(identity)


def _index(value: object) -> int | None:
    """The value as an integer, if it is one, or a text or float that spells one."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        try:
            return int(value)
        except ValueError:
            return None
    if isinstance(value, float):
        return int(value) if value.is_integer() else None
    return value if isinstance(value, int) else None
