"""Stops a curation after a stage that left nothing for the next one, and says what to change.

The cause is what most of the samples or critiques have in common; the report has examples of each
kind.
"""

from collections import Counter
from collections.abc import Callable
from enum import StrEnum
from typing import TypeVar

from genprm.curate.folder import Folder
from genprm.curate.recipe import Curation
from genprm.curate.samples import Dropped, by_problem
from genprm.curate.stages import Stage
from genprm.errors import InputError
from genprm.records.chats import ChatRow
from genprm.records.critiques import CritiqueRow, Unreadable
from genprm.records.curation import (
    BatchRow,
    ConsensusRow,
    Disagreement,
    LabelledPathRow,
    RolloutRow,
    SampleOutcome,
)

E = TypeVar("E", bound=StrEnum)


class NothingUsable(InputError):
    """A stage has finished, and no row of it can be used by the next one."""


def check_usable(stage: Stage, folder: Folder, recipe: Curation) -> None:
    """Check that a finished stage left something for the next one.

    Raises:
        NothingUsable: names the cause, and the setting to change.
    """
    check = _CHECKS.get(stage)
    fault = check(folder, recipe) if check else None
    if fault is not None:
        raise NothingUsable(f"{folder.file(stage)}: {fault}; more: genprm explain nothing-usable")


def _solutions(folder: Folder, recipe: Curation) -> str | None:
    rows = list(folder.rows(Stage.SOLUTIONS, BatchRow))
    problems = by_problem(rows).values()
    dropped = Counter(one.dropped for one in problems if one.dropped)
    if dropped.total() < len(problems):
        return None
    outcomes: Counter[SampleOutcome] = Counter()
    for row in rows:
        outcomes.update(row.outcomes)
    most = outcomes.most_common(1)[0][0]
    if Dropped.NEVER_CORRECT in dropped and most is SampleOutcome.CORRECT:
        most = SampleOutcome.INCORRECT
    return (
        f"no problem has both a correct and an incorrect solution: {_counts(dropped)} of the "
        f"problems; {_counts(outcomes)} of the samples; fix: {_sample_fix(most, rows, recipe)}"
    )


def _sample_fix(outcome: SampleOutcome, rows: list[BatchRow], recipe: Curation) -> str:
    asked = recipe.solutions
    match outcome:
        case SampleOutcome.UNFINISHED:
            return f"raise curate.solutions.max_tokens, which is {asked.max_tokens}"
        case SampleOutcome.UNMARKED:
            return (
                "ask for `Step 1: …, Step 2: …` in curate.solutions.system, or name another "
                "curate.solutions.model"
            )
        case SampleOutcome.TOO_LONG:
            return f"raise curate.solutions.max_steps, which is {asked.max_steps}"
        case SampleOutcome.UNDECIDED:
            return "give answers in curate.problems that can be compared"
        case SampleOutcome.FAILED:
            causes = (row.examples.get(SampleOutcome.FAILED) for row in rows)
            cause = next(filter(None, causes), "unknown")
            return f"remove the cause ({cause}), and run again with --retry-failed"
        case SampleOutcome.CORRECT:
            return (
                "harder curate.problems, a weaker curate.solutions.model, or a higher "
                f"curate.solutions.max_samples, which is {asked.max_samples}"
            )
        case SampleOutcome.INCORRECT:
            return (
                "easier curate.problems, a stronger curate.solutions.model, or a higher "
                f"curate.solutions.max_samples, which is {asked.max_samples}"
            )


def _rollouts(folder: Folder, recipe: Curation) -> str | None:
    rows = list(folder.rows(Stage.ROLLOUTS, RolloutRow))
    if not rows or any(row.failed is None for row in rows):
        return None
    return (
        f"every completion by {recipe.rollouts.model} failed ({rows[0].failed}); "
        "fix: remove the cause, and run again with --retry-failed"
    )


def _progress(folder: Folder, recipe: Curation) -> str | None:
    if next(folder.rows(Stage.PROGRESS, LabelledPathRow), None) is not None:
        return None
    return (
        f"no path has all of its scores, since requests to {recipe.rollouts.model} failed; "
        "fix: remove the cause, and run again with --retry-failed"
    )


def _rationales(folder: Folder, recipe: Curation) -> str | None:
    faults: Counter[Unreadable] = Counter()
    failed = ""
    for row in folder.rows(Stage.RATIONALES, CritiqueRow):
        if row.unreadable is None:
            return None
        faults[row.unreadable] += 1
        failed = failed or row.failed or ""
    fix = _critique_fix(faults.most_common(1)[0][0], failed, recipe)
    return f"no critique can be read: {_counts(faults)}; fix: {fix}"


def _critique_fix(fault: Unreadable, failed: str, recipe: Curation) -> str:
    asked = recipe.rationales
    match fault:
        case Unreadable.UNFINISHED:
            return f"raise curate.rationales.max_tokens, which is {asked.max_tokens}"
        case Unreadable.NO_THOUGHT:
            return "set curate.rationales.thinks = false"
        case Unreadable.TOO_MANY_BLOCKS:
            return f"raise curate.rationales.code_rounds, which is {asked.code_rounds}"
        case Unreadable.FAILED:
            return f"remove the cause ({failed}), and run again with --retry-failed"
        case _:
            return (
                f"name another curate.rationales.teacher than {asked.teacher}, which does not "
                "write critiques in the form that it is asked for"
            )


def _consensus(folder: Folder, recipe: Curation) -> str | None:
    causes: Counter[Disagreement] = Counter()
    for row in folder.rows(Stage.CONSENSUS, ConsensusRow):
        if row.cause is None:
            return None
        causes[row.cause] += 1
    return (
        f"consensus kept no solution: {_counts(causes)}; "
        "fix: choose a better curate.rationales.teacher, "
        'more curate.rationales.samples with curate.consensus.agreement = "any", or another '
        f"curate.progress.epsilon, which is {recipe.progress.epsilon}"
    )


def _chats(folder: Folder, recipe: Curation) -> str | None:
    if next(folder.rows(Stage.CHATS, ChatRow), None) is not None:
        return None
    modes = ", ".join(mode.value for mode in recipe.chats.modes)
    return (
        f"no kept critique holds code for every step, which curate.chats.modes ({modes}) need; "
        'fix: modes = ["cot"], or a teacher that writes code'
    )


def _counts(counted: Counter[E]) -> str:
    return ", ".join(f"{name.value} {count:,}" for name, count in counted.most_common())


_CHECKS: dict[Stage, Callable[[Folder, Curation], str | None]] = {
    Stage.SOLUTIONS: _solutions,
    Stage.ROLLOUTS: _rollouts,
    Stage.PROGRESS: _progress,
    Stage.RATIONALES: _rationales,
    Stage.CONSENSUS: _consensus,
    Stage.CHATS: _chats,
}
