"""What the service answers: verdicts at three levels of detail, a ranking, a critique."""

from typing import Annotated, Self

from pydantic import Field

from genprm.problem import Solution
from genprm.records.record import Record, Text
from genprm.records.verdicts import StepRow, VerdictRow
from genprm.server.requests import Detail
from genprm.verdict import Run, SolutionVerdict, StepVerdict, Usage
from genprm.verify.voting import representative

Failed = Annotated[str | None, Field(exclude_if=lambda cause: cause is None)]


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

    @classmethod
    def of(cls, text: str, step: StepVerdict) -> Self:
        """From a verdict."""
        kept = representative(step)
        analysis = None if kept is None else step.votes[kept].analysis
        return cls(text=text, reward=step.reward, label=step.label, analysis=analysis)


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


Answer = VerdictRow | AnalysedSolution | ScoredSolution


def answer(
    detail: Detail, row: int, solution: Solution, verdict: SolutionVerdict, failed: str | None
) -> Answer:
    """One solution's verdict at this level of detail."""
    whole = VerdictRow.of(row, solution, verdict)
    if failed is not None:
        whole = whole.model_copy(update={"failed": failed})
    if detail is Detail.ALL:
        return whole
    steps = verdict.steps
    scored = ScoredSolution(
        id=whole.id,
        row=row,
        first_error=whole.first_error if whole.failed is None else None,
        rewards=tuple(step.reward for step in steps),
        labels=tuple(step.label for step in steps),
        usage=whole.usage,
        failed=whole.failed,
    )
    if detail is Detail.SCORES:
        return scored
    texts = zip(solution.steps, steps, strict=False)
    analysed = tuple(AnalysedStep.of(text, step) for text, step in texts)
    return AnalysedSolution(**dict(scored), steps=analysed)


def step_answer(detail: Detail, text: str, step: StepVerdict) -> Record:
    """One step's verdict at this level of detail."""
    if detail is Detail.ALL:
        return StepRow.of(step)
    analysed = AnalysedStep.of(text, step)
    return analysed if detail is Detail.ANALYSES else analysed.model_copy(update={"analysis": None})


def critique(solution: Solution, verdict: SolutionVerdict, failed: str | None) -> CritiqueReply:
    """The critique of the first wrong step."""
    rewards = tuple(step.reward for step in verdict.steps)
    first = verdict.first_error if failed is None else None
    if first is None or first < 0:
        return CritiqueReply(first_error=first, rewards=rewards, usage=verdict.usage, failed=failed)
    step = verdict.steps[first]
    kept = representative(step)
    assert kept is not None  # the step has a label
    vote = step.votes[kept]
    return CritiqueReply(
        first_error=first,
        step=solution.steps[first],
        reward=step.reward,
        critique=vote.analysis,
        runs=vote.runs,
        rewards=rewards,
        usage=verdict.usage,
        failed=failed,
    )
