"""The queries of the list: filters, a search, an order, and one page of the result."""

import re
from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from genprm.records.record import Record

_TERM = re.compile(r'"([^"]+)"|(\w+)')

Sort = Literal[
    "number", "id", "steps", "first_error", "lowest", "disagreement", "abstained", "tokens"
]
Field_ = Literal["problem", "steps", "analysis", "code"]


class Place(Record):
    """A row's position in a list, from 0, and the rows around it."""

    place: int | None
    total: int
    before: int | None = None
    after: int | None = None


class PageRequest(BaseModel):
    """Which part of a list is wanted."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    offset: Annotated[int, Field(ge=0)] = 0
    limit: Annotated[int, Field(ge=1, le=1000)] = 100


class Query(PageRequest):
    """One page of a run's rows.

    `low` and `high` limit the reward of any step of the row, or its lowest reward (`of`).
    """

    q: Annotated[str, Field(max_length=500)] = ""
    within: Field_ | None = None  # the texts that are searched; all where it is not said
    verdict: Literal["correct", "error", "undecided"] | None = None
    wrong: bool = False
    disagree: bool = False
    abstained: bool = False
    code_failed: bool = False
    failed: bool = False
    low: float | None = None
    high: float | None = None
    of: Literal["any", "lowest"] = "any"
    sort: Sort = "number"
    descending: bool = False

    def condition(self) -> tuple[str, list[str | float]]:
        """The SQL condition on the table of entries, and its values."""
        parts = ["1"]
        values: list[str | float] = []
        flags = {
            "wrong = 1": self.wrong,
            "disagreement > 0": self.disagree,
            "abstained > 0": self.abstained,
            "code_failed > 0": self.code_failed,
            "failed IS NOT NULL": self.failed,
            "first_error = -1": self.verdict == "correct",
            "first_error >= 0": self.verdict == "error",
            "first_error IS NULL AND kind IN ('solution', 'refinement')": (
                self.verdict == "undecided"
            ),
        }
        parts += [condition for condition, wanted in flags.items() if wanted]
        column = "lowest" if self.of == "lowest" else "reward"
        bounds = {f"{column} >= ?": self.low, f"{column} <= ?": self.high}
        asked = {condition: bound for condition, bound in bounds.items() if bound is not None}
        if asked:
            between = " AND ".join(asked)
            any_step = f"number IN (SELECT number FROM rewards WHERE {between})"
            parts.append(between if self.of == "lowest" else any_step)
            values += asked.values()
        if self.q.strip():
            parts.append("number IN (SELECT rowid FROM texts WHERE texts MATCH ?)")
            values.append(self.match())
        return " AND ".join(parts), values

    def match(self) -> str:
        """The search in FTS5's language: every word is a prefix, and quoted text is literal."""
        terms = [
            f'"{phrase}"' if phrase else f'"{word}"*' for phrase, word in _TERM.findall(self.q)
        ]
        found = " AND ".join(terms) or '""'
        return f"{{{self.within}}} : ({found})" if self.within else found

    def order(self) -> str:
        """The SQL order; rows without a value come last."""
        direction = "DESC" if self.descending else "ASC"
        return f"{self.sort} IS NULL, {self.sort} {direction}, number"


def place_in(ordered: Sequence[int], number: int) -> Place:
    """The position of a row among those that a query finds."""
    if number not in ordered:
        return Place(place=None, total=len(ordered))
    at = ordered.index(number)
    return Place(
        place=at,
        total=len(ordered),
        before=ordered[at - 1] if at else None,
        after=ordered[at + 1] if at + 1 < len(ordered) else None,
    )
