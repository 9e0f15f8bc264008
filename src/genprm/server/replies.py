"""Builds the replies of the service from verdicts."""

from genprm.problem import Solution
from genprm.records.record import Record
from genprm.records.service import (
    AnalysedSolution,
    AnalysedStep,
    CritiqueReply,
    Detail,
    ScoredSolution,
)
from genprm.records.verdicts import StepRow, VerdictRow
from genprm.verdict import SolutionVerdict, StepVerdict
from genprm.verify.format import without_tags
from genprm.verify.voting import representative

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
    analysed = tuple(_analysed(text, step) for text, step in texts)
    return AnalysedSolution(**dict(scored), steps=analysed)


def step_answer(detail: Detail, text: str, step: StepVerdict) -> Record:
    """One step's verdict at this level of detail."""
    if detail is Detail.ALL:
        return StepRow.of(step)
    analysed = _analysed(text, step)
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
        critique=without_tags(vote.analysis),
        runs=vote.runs,
        rewards=rewards,
        usage=verdict.usage,
        failed=failed,
    )


def _analysed(text: str, step: StepVerdict) -> AnalysedStep:
    kept = representative(step)
    analysis = None if kept is None else without_tags(step.votes[kept].analysis)
    return AnalysedStep(text=text, reward=step.reward, label=step.label, analysis=analysis)
