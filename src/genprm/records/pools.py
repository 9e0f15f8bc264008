"""Pools: a problem with many solutions of one policy, as `genprm sample` writes them."""

from collections.abc import Mapping, Sequence
from typing import Annotated, ClassVar, TypeAlias

from pydantic import Field, model_validator

from genprm.records.problems import AnswerText
from genprm.records.record import Record, Row, Text
from genprm.verdict import Usage

StepScores: TypeAlias = tuple[float | None, ...]


class Cost(Record):
    """What an answer cost: the policy's share and the verifier's."""

    policy: Usage = Field(default_factory=Usage)  # the policy's share
    verifier: Usage = Field(default_factory=Usage)  # the verifier's share

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(policy=self.policy + other.policy, verifier=self.verifier + other.verifier)

    @property
    def tokens(self) -> int:
        """Generated tokens of both models."""
        return self.policy.tokens_out + self.verifier.tokens_out


class SampleRow(Record):
    """One solution in steps, and how it was drawn; its text is in the pool's `responses`."""

    steps: tuple[Text, ...]  # the solution's steps
    complete: bool = True  # False if the solution was cut off
    seed: int = 0  # seed of the request
    usage: Usage = Field(default_factory=Usage)  # cost of the sample


class ProblemRow(Row):
    """The common part of rows about one problem: the problem, and the cost of its answer.

    `correct` [answers] is absent if the gold answer is unknown; `undecided` lists the answers that
    could not be compared with it.
    """

    KEY: ClassVar[str] = "row"

    id: Text  # id of the problem, or its number
    row: int  # number of the input row, from 0
    problem: Text  # text of the problem
    answer: Text | None  # gold answer, if known
    extracted: tuple[Text | None, ...] = ()  # final answer of each solution; None if it states none
    # whether each solution's answer is correct, if the gold answer is known
    correct: Annotated[
        tuple[bool, ...] | None, Field(exclude_if=lambda correct: correct is None)
    ] = None
    # solutions whose answer could not be compared with the gold answer
    undecided: Annotated[tuple[int, ...], Field(exclude_if=lambda indices: not indices)] = ()
    cost: Cost = Field(default_factory=Cost)  # cost of the row


class PoolRow(ProblemRow):
    """A row of `genprm sample`; `responses` is the field that other tools expect in a pool."""

    responses: tuple[Text, ...]  # texts of the solutions
    samples: tuple[SampleRow, ...]  # the same solutions in steps


class PoolInput(Record):
    """Solutions of a problem from any source: `samples`, `responses`, or what was `extracted`.

    `correct` [samples] are stored grades; `prm_step_scores` are by scorer, [samples][steps].
    """

    samples: tuple[SampleRow, ...] | None = None
    responses: tuple[str, ...] | None = None
    extracted: tuple[AnswerText, ...] | None = None
    correct: tuple[bool, ...] | None = None
    prm_step_scores: Mapping[str, tuple[StepScores | None, ...]] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _as_many_of_each(self) -> "PoolInput":
        if not (self.samples or self.responses or self.extracted):
            raise ValueError("responses or extracted is needed; fix: add the solutions' texts")
        columns: dict[str, Sequence[object] | None] = {
            "samples": self.samples,
            "responses": self.responses,
            "extracted": self.extracted or None,
            "correct": self.correct,
            **{f"prm_step_scores.{name}": column for name, column in self.prm_step_scores.items()},
        }
        lengths = {name: len(column) for name, column in columns.items() if column is not None}
        if len(set(lengths.values())) > 1:
            raise ValueError(
                f"the columns have different lengths {lengths}; "
                "fix: give one entry for each solution"
            )
        return self
