"""Pools of stored samples, graded: what the methods of choosing are compared on."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from genprm.answer import AnswerChecker, Match, extract_answer
from genprm.bad_rows import BadRows
from genprm.errors import InputError
from genprm.pools import Pool, Stored, read_pools
from genprm.records.pools import StepScores


@dataclass(frozen=True, slots=True)
class GradedPool:
    """One problem's samples.

    `correct` [samples]; `answers` [samples], equal for samples with the same answer, None for a
    sample without one; `step_scores` by scorer, [samples][steps].
    """

    id: str
    correct: tuple[bool, ...]
    answers: tuple[int | None, ...]
    step_scores: Mapping[str, tuple[StepScores, ...]]


def read_graded(
    path: Path, checker: AnswerChecker, *, regrade: bool = False, bad: BadRows | None = None
) -> list[GradedPool]:
    """Read a pool file and grade it; see `grade`.

    Raises:
        InputError: as `read_pools`; or a pool has neither grades nor a gold answer.
    """
    bad = bad or BadRows()
    graded: list[GradedPool] = []
    for pool in read_pools(str(path), bad):
        with bad.row():
            graded.append(_named(path, pool, checker, regrade=regrade))
    if not graded:
        raise InputError(f"{path}: no pool can be graded; fix: add the field answer")
    return graded


def grade(pool: Pool, checker: AnswerChecker, *, regrade: bool = False) -> GradedPool | None:
    """Grade a pool, or use its stored grades; None if it has neither grades nor a gold answer.

    If the file has no final answers, they are extracted from the samples; if it has no grades,
    answers are graded against the gold answer. `regrade` does both whenever it can.
    """
    stored, gold = pool.stored or Stored(), pool.problem.answer
    if regrade and pool.samples and gold is not None:
        stored = Stored(responses=stored.responses, step_scores=stored.step_scores)
    answers = stored.extracted or tuple(_final_answers(pool, stored))
    correct = stored.correct
    if correct is None:
        if gold is None:
            return None
        matches = checker.compare_many((gold, answer) for answer in answers)
        correct = tuple(match is Match.EQUAL for match in matches)
    groups = tuple(checker.classes(answers))
    return GradedPool(pool.problem.id, correct, groups, stored.step_scores)


def _final_answers(pool: Pool, stored: Stored) -> Iterator[str | None]:
    """The final answer of each sample; None for one that was cut off."""
    texts = stored.responses or tuple(sample.text for sample in pool.samples)
    for text, sample in zip(texts, pool.samples, strict=True):
        yield extract_answer(text) if sample.complete else None


def scorers(pools: Sequence[GradedPool]) -> list[str]:
    """The scorers that scored every problem of the set."""
    first, *others = pools
    return [name for name in first.step_scores if all(name in pool.step_scores for pool in others)]


def _named(path: Path, pool: Pool, checker: AnswerChecker, *, regrade: bool) -> GradedPool:
    graded = grade(pool, checker, regrade=regrade)
    if graded is None:
        raise InputError(
            f"{path}: {pool.problem.id}: answer or correct is needed; fix: add the gold answer"
        )
    return graded
