"""An item that could not be processed, stored in place of its row so that the others continue."""

from typing import ClassVar, Literal

from genprm.records.record import Row, Text


class FailedRow(Row):
    """The cause why a row could not be computed. `--retry-failed` computes it again."""

    KEY: ClassVar[str] = "row"

    kind: Literal["failed"] = "failed"  # marks rows of this kind
    id: Text  # id of the input row, or its number
    row: int  # number of the input row, from 0
    problem: Text = ""  # text of the problem
    failed: Text  # the cause
