"""What the list asks for: filters, a search, an order, and a page of the result."""

import re
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

_TERM = re.compile(r'"([^"]+)"|(\w+)')

Sort = Literal[
    "number", "id", "steps", "first_error", "lowest", "disagreement", "abstained", "tokens"
]
Field_ = Literal["problem", "steps", "analysis", "code"]


class Query(BaseModel):
    """One page of a run's rows. `low` and `high` bound the lowest reward of a row's steps."""

    model_config = ConfigDict(frozen=True, extra="forbid")

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
    sort: Sort = "number"
    descending: bool = False
    offset: Annotated[int, Field(ge=0)] = 0
    limit: Annotated[int, Field(ge=1, le=1000)] = 100

    def condition(self) -> tuple[str, list[str | float]]:
        """An SQL condition on the table of entries, and its values."""
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
            "first_error IS NULL": self.verdict == "undecided",
        }
        parts += [condition for condition, wanted in flags.items() if wanted]
        for condition, bound in (("lowest >= ?", self.low), ("lowest <= ?", self.high)):
            if bound is not None:
                parts.append(condition)
                values.append(bound)
        if self.q.strip():
            parts.append("number IN (SELECT rowid FROM texts WHERE texts MATCH ?)")
            values.append(self.match())
        return " AND ".join(parts), values

    def match(self) -> str:
        """The search in FTS5's language: every word as a prefix, what stands in quotes as it is."""
        terms = [
            f'"{phrase}"' if phrase else f'"{word}"*' for phrase, word in _TERM.findall(self.q)
        ]
        found = " AND ".join(terms) or '""'
        return f"{{{self.within}}} : ({found})" if self.within else found

    def order(self) -> str:
        """An SQL order; rows without a value come last."""
        direction = "DESC" if self.descending else "ASC"
        return f"{self.sort} IS NULL, {self.sort} {direction}, number"
