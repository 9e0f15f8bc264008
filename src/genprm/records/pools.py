"""Pools: a problem with many solutions of one policy, as `genprm sample` writes them."""

from typing import Annotated, ClassVar

from pydantic import Field

from genprm.records.record import Record, Row, Text
from genprm.verdict import Usage


class Cost(Record):
    """What an answer cost: the policy's share and the verifier's."""

    policy: Usage = Field(default_factory=Usage)
    verifier: Usage = Field(default_factory=Usage)

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(policy=self.policy + other.policy, verifier=self.verifier + other.verifier)

    @property
    def tokens(self) -> int:
        """Generated tokens of both models."""
        return self.policy.tokens_out + self.verifier.tokens_out


class SampleRow(Record):
    """How one solution came about; its text stands in the pool's `responses`."""

    steps: tuple[Text, ...]
    complete: bool = True
    seed: int = 0
    usage: Usage = Field(default_factory=Usage)


class ProblemRow(Row):
    """What every row about one problem holds: the problem, and what its answer cost.

    `correct` [answers] is absent where the gold answer is unknown; `undecided` lists the answers
    of which it could not be said whether they equal it.
    """

    KEY: ClassVar[str] = "row"

    id: Text
    row: int
    problem: Text
    answer: Text | None
    extracted: tuple[Text | None, ...] = ()
    correct: Annotated[
        tuple[bool, ...] | None, Field(exclude_if=lambda correct: correct is None)
    ] = None
    undecided: Annotated[tuple[int, ...], Field(exclude_if=lambda indices: not indices)] = ()
    cost: Cost = Field(default_factory=Cost)


class PoolRow(ProblemRow):
    """A row of `genprm sample`; `responses` is what other tools look for in a pool."""

    responses: tuple[Text, ...]
    samples: tuple[SampleRow, ...]
