"""The rows of a curation's stages: problems, batches of samples, rollouts, labels, consensus.

Critiques are in `critiques`, chats in `chats`. Names of fields that version 0.1 wrote are read.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated

from pydantic import AliasChoices, Field, field_validator

from genprm.problem import Problem
from genprm.records.critiques import Critique
from genprm.records.keyed import KeyedRow
from genprm.records.record import Record, Text
from genprm.verdict import Usage


class GoldProblemRow(KeyedRow):
    """A row of the stage `problems`: a problem with its gold answer."""

    id: Text  # id of the problem
    text: Text  # text of the problem
    answer: Text  # gold answer

    @classmethod
    def of(cls, problem: Problem) -> "GoldProblemRow":
        """The row of a problem, which must have an answer."""
        assert problem.answer is not None
        return cls(key=problem.id, id=problem.id, text=problem.text, answer=problem.answer)

    @property
    def problem(self) -> Problem:
        """The problem that the row holds."""
        return Problem(self.id, self.text, self.answer)


class SampleOutcome(StrEnum):
    """The outcome of a sample: whether its answer is correct, or why it cannot be a path."""

    CORRECT = "correct"
    INCORRECT = "incorrect"
    UNDECIDED = "undecided"  # whether the answer is correct cannot be said
    UNFINISHED = "unfinished"  # cut off by a bound
    UNMARKED = "unmarked"  # not `Step 1: … Step T: …`
    TOO_LONG = "too_long"  # more steps than the recipe allows
    FAILED = "failed"  # the request failed or was refused


_OLD_OUTCOMES = {"right": SampleOutcome.CORRECT, "wrong": SampleOutcome.INCORRECT}


class PathRow(Record):
    """A sample that is used: one of a problem's solution paths."""

    id: Text  # id of the path
    seed: int = 0  # seed of the sample
    # whether the path reaches the gold answer
    correct: bool = Field(validation_alias=AliasChoices("correct", "right"))
    steps: tuple[Text, ...]  # texts of the steps


class BatchRow(KeyedRow):
    """A row of the stage `solutions`: the outcomes of samples that were drawn together.

    `hits` and `misses` count the samples by their final answer, whether or not they can be a path.
    `examples` holds one text of each outcome that cannot be a path, from the first batch of its
    problem in which it appears. `failed` is set if every request of the batch failed.
    """

    problem: Text  # id of the problem
    # number of the batch, from 0
    batch: int = Field(validation_alias=AliasChoices("batch", "wave"))
    # number of samples by outcome
    outcomes: Mapping[SampleOutcome, int] = Field(
        validation_alias=AliasChoices("outcomes", "fates")
    )
    hits: int  # samples with the gold answer
    misses: int  # samples with another answer
    paths: tuple[PathRow, ...]  # samples that are used
    # one text of each outcome that gives no path
    examples: Annotated[
        Mapping[SampleOutcome, Text], Field(exclude_if=lambda examples: not examples)
    ] = Field(default_factory=dict)
    usage: Usage  # cost of the batch

    @field_validator("outcomes", mode="before")
    @classmethod
    def _renamed(cls, outcomes: Mapping[str, int]) -> dict[str, int]:
        """The counts, those of version 0.1 under today's names."""
        return {_OLD_OUTCOMES.get(name, name): count for name, count in outcomes.items()}


class RolloutRow(KeyedRow):
    """A row of the stage `rollouts`: completions of a prefix of `step` steps, counted.

    `mc` is the share of decided completions that reach the gold answer, `interval` its 95 %
    interval. `answers` lists (answer, completions, how it compares). `failures` counts requests
    that failed; `failed` is set if all of them did, so that there is no score.
    """

    problem: Text  # id of the problem
    step: int  # number of steps in the prefix
    hits: int  # completions with the gold answer
    misses: int  # completions with another answer
    undecided: int  # completions of which this cannot be said
    failures: Annotated[int, Field(exclude_if=lambda count: not count)] = 0  # requests that failed
    mc: float  # Monte-Carlo score
    interval: tuple[float, float]  # its 95 % interval
    # each answer, the number of its completions, and whether it is correct
    answers: tuple[tuple[Text | None, int, str], ...]
    usage: Usage  # cost of the completions


class LabelledPathRow(KeyedRow):
    """A row of the stage `progress`: a path with its scores, its progress and its labels.

    `mc` and `progress` have an entry for each step: None if it was not estimated or, for progress,
    if it is infinite. `first_error` counts from 0; -1 for none.
    """

    problem: Text  # id of the problem
    # whether the path reaches the gold answer
    correct: bool = Field(validation_alias=AliasChoices("correct", "right"))
    pass_at_1: float  # Pass@1 of the problem
    steps: tuple[Text, ...]  # texts of the steps
    mc: tuple[float | None, ...]  # score after each step
    progress: tuple[float | None, ...]  # relative progress of each step
    labels: tuple[bool, ...]  # whether each step is correct
    first_error: int  # first step labelled wrong, from 0; -1 for none


class Disagreement(StrEnum):
    """Why consensus drops a solution."""

    UNREADABLE = "unreadable"  # no critique can be read
    TIED = "tied"  # no judgement has a majority
    TEACHER_EARLIER = "teacher_earlier"  # the teacher's first error comes before that of the scores
    TEACHER_LATER = "teacher_later"  # the teacher's first error comes after that of the scores
    TEACHER_ONLY = "teacher_only"  # only the teacher finds an error
    SCORES_ONLY = "scores_only"  # only the scores show an error
    AFTER_ERROR = "after_error"  # same first error, other labels after it


class ConsensusRow(KeyedRow):
    """A row of the stage `consensus`: a path with the critique that is kept, or why none is."""

    problem: Text  # id of the problem
    steps: tuple[Text, ...]  # texts of the steps
    labels: tuple[bool, ...]  # labels from the scores
    cause: Disagreement | None  # why no critique is kept
    sample: int | None  # number of the kept critique
    critique: Critique | None  # the kept critique
