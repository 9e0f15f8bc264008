"""The product of the generators: a problem with a solution whose first error is known."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from genprm.arithmetic.mistakes import Mistake


class Family(StrEnum):
    """The two families of problems."""

    STORY = "story"  # word problems
    NESTED = "nested"  # nested integer expressions, solved in named parts


@dataclass(frozen=True, slots=True)
class Claim:
    """What one step asserts, and the value to compare it with.

    `target` is a Python name whose value `setup` derives from the problem and the correct values of
    earlier steps; the step is correct if every expression of `links` has this value.
    """

    source: str  # what the problem or an earlier paragraph says this step computes
    setup: tuple[str, ...]
    target: str
    links: tuple[str, ...]
    recall: tuple[str, ...] = ()  # binds the target from the text alone, whatever ran before


@dataclass(frozen=True, slots=True)
class Exercise:
    """A problem and one solution, correct or wrong."""

    family: Family
    problem: str
    steps: tuple[str, ...]
    claims: tuple[Claim, ...]  # one for each step
    answer: str  # the right answer
    first_error: int  # 0-based, -1 for none
    kind: Mistake | None = None  # of the first error
