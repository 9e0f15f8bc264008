"""The replies of the service, as its clients read them.

The long form of a verdict is `VerdictRow`, the row of `genprm verify`.
"""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from genprm.records.record import Record, Text
from genprm.records.verdicts import VerdictRow
from genprm.verdict import Run, Usage

Failed = Annotated[str | None, Field(exclude_if=lambda cause: cause is None)]


class Detail(StrEnum):
    """How much of a verdict is told."""

    SCORES = "scores"  # rewards, labels and the first error
    ANALYSES = "analyses"  # and each step's analysis
    ALL = "all"  # every vote with its text, code and output: a row of `genprm verify`


class ScoredSolution(Record):
    """The short form of a verdict.

    `rewards` and `labels` [judged steps]; None where a step's votes all abstained. `first_error`
    is an index from 0, -1 for none, None where it cannot be said; `failed` says why.
    """

    id: Text
    row: int
    first_error: int | None
    rewards: tuple[float | None, ...]
    labels: tuple[bool | None, ...]
    usage: Usage
    failed: Failed = None


class AnalysedStep(Record):
    """A step with the analysis of the vote that stands for its label."""

    text: Text
    reward: float | None
    label: bool | None
    analysis: Text | None


class AnalysedSolution(ScoredSolution):
    """A verdict with every step's analysis."""

    steps: tuple[AnalysedStep, ...]


class VerifyReply(Record):
    """The verdicts, in the order asked; a solution that could not be judged has `failed`.

    To a request of one solution's own fields, its rewards and first error stand on top, too.
    """

    verdicts: tuple[VerdictRow | AnalysedSolution | ScoredSolution, ...]
    rewards: tuple[float | None, ...] | None = None
    first_error: int | None = None
    failed: Failed = None


class RankedCandidate(Record):
    """One candidate; without a score it ranks last."""

    index: int
    score: float | None
    first_error: int | None
    rewards: tuple[float | None, ...]
    failed: Failed = None


class RankReply(Record):
    """`order` and `scores` go by the candidates' indices; `choice` is the best one.

    `order` lists indices, the best first. `scores` [candidates]. `choice` is None where no
    candidate has a score.
    """

    order: tuple[int, ...]
    scores: tuple[float | None, ...]
    choice: int | None
    candidates: tuple[RankedCandidate, ...]
    usage: Usage


class CritiqueReply(Record):
    """The first wrong step and why it is wrong; empty where there is none."""

    first_error: int | None
    step: Text | None = None
    reward: float | None = None
    critique: Text | None = None
    runs: tuple[Run, ...] = ()
    rewards: tuple[float | None, ...] = ()
    usage: Usage
    failed: Failed = None
