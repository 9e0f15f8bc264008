"""The counts of a run: how many rows of each kind, as shown above its list."""

import sqlite3

from genprm.records.record import Record

_COUNTS = {
    "rows": "count(*)",
    "correct": "count(*) FILTER (WHERE first_error = -1 AND failed IS NULL)",
    "error": "count(*) FILTER (WHERE first_error >= 0)",
    "failed": "count(failed)",
    "labelled": "count(wrong)",
    "wrong": "count(*) FILTER (WHERE wrong = 1)",
    "disagree": "count(*) FILTER (WHERE disagreement > 0)",
    "abstained": "count(*) FILTER (WHERE abstained > 0)",
    "code_failed": "count(*) FILTER (WHERE code_failed > 0)",
    "steps": "coalesce(sum(steps), 0)",
    "tokens": "coalesce(sum(tokens), 0)",
}


class Facts(Record):
    """Counts of rows; `steps` and `tokens` are sums.

    `labelled` rows are those whose truth is known, and `wrong` those of them whose verdict or
    choice contradicts it.
    """

    rows: int = 0
    correct: int = 0
    error: int = 0
    failed: int = 0
    labelled: int = 0
    wrong: int = 0
    disagree: int = 0
    abstained: int = 0
    code_failed: int = 0
    steps: int = 0
    tokens: int = 0

    @classmethod
    def of(cls, database: sqlite3.Connection) -> "Facts":
        """The counts of an index."""
        columns = ", ".join(_COUNTS.values())
        row = database.execute(f"SELECT {columns} FROM entries").fetchone()
        return cls.model_validate(dict(zip(_COUNTS, row, strict=True)))
