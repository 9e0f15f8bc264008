"""The replies of the service, as its clients read them.

The long form of a verdict is `VerdictRow`, the row of `genprm verify`.
"""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from genprm.records.record import Record, Text
from genprm.records.verdicts import StepRow, VerdictRow
from genprm.verdict import Run, Usage

Failed = Annotated[str | None, Field(exclude_if=lambda cause: cause is None)]


class Detail(StrEnum):
    """How much of a verdict is returned."""

    SCORES = "scores"  # rewards, labels and the first error
    ANALYSES = "analyses"  # and each step's analysis
    ALL = "all"  # every vote with its text, code and output: a row of `genprm verify`


class ScoredSolution(Record):
    """The short form of a verdict.

    `rewards` and `labels` are [judged steps]; None if all votes on a step abstained. `first_error`
    is an index from 0, -1 for none, None if it is unknown; then `failed` may say why.
    """

    id: Text  # id of the solution, or its number
    row: int  # number of the solution in the request
    first_error: int | None  # from 0; -1 for none; None if it is unknown
    rewards: tuple[float | None, ...]  # reward of each judged step; None if all votes abstained
    labels: tuple[bool | None, ...]  # label of each judged step
    usage: Usage  # cost of all votes
    failed: Failed = None  # why the solution could not be judged


class AnalysedStep(Record):
    """A step with the analysis of the vote that represents its label."""

    text: Text  # the step
    reward: float | None  # mean of the readable votes
    label: bool | None  # True: correct, False: wrong, None: no label
    analysis: Text | None  # analysis of a vote with the same label


class AnalysedSolution(ScoredSolution):
    """A verdict with every step's analysis."""

    steps: tuple[AnalysedStep, ...]  # the judged steps


class VerifyReply(Record):
    """The verdicts in the order of the request; a solution that could not be judged has `failed`.

    If the request has the fields of a single solution, its rewards and first error are also at the
    top level.
    """

    # one verdict for each solution, in order
    verdicts: tuple[VerdictRow | AnalysedSolution | ScoredSolution, ...]
    rewards: tuple[float | None, ...] | None = None  # rewards of the only solution
    first_error: int | None = None  # first error of the only solution
    failed: Failed = None  # why the only solution could not be judged


class RankedCandidate(Record):
    """One candidate; candidates without a score come last."""

    index: int  # number of the candidate, from 0
    score: float | None  # its score; None if it has none
    first_error: int | None  # first wrong step, from 0; -1 for none; None if it is unknown
    rewards: tuple[float | None, ...]  # reward of each judged step
    failed: Failed = None  # why it could not be judged


class RankReply(Record):
    """A ranking of the candidates.

    `order` lists their indices, the best first; `scores` are [candidates]. `choice` is the best
    one, or None if no candidate has a score.
    """

    order: tuple[int, ...]  # indices of the candidates, the best first
    scores: tuple[float | None, ...]  # score of each candidate
    choice: int | None  # index of the best candidate; None if none has a score
    candidates: tuple[RankedCandidate, ...]  # the candidates, in the order of the request
    usage: Usage  # cost of all votes


class PoolReply(Record):
    """The verdicts on the steps of a problem's samples; a step's beginning was judged once.

    `samples` [samples][steps]. Where the pool could not be judged it is empty, and `failed` says
    why.
    """

    samples: tuple[tuple[StepRow, ...], ...] = ()
    failed: Failed = None


class CritiqueReply(Record):
    """The first wrong step and why it is wrong; empty if there is none."""

    first_error: int | None  # first wrong step, from 0; -1 for none; None if it is unknown
    step: Text | None = None  # text of that step
    reward: float | None = None  # its reward
    critique: Text | None = None  # analysis of a vote that finds it wrong
    runs: tuple[Run, ...] = ()  # blocks of code of that vote
    rewards: tuple[float | None, ...] = ()  # reward of each judged step
    usage: Usage  # cost of all votes
    failed: Failed = None  # why the solution could not be judged
