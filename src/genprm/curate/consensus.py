"""Stage 5, consensus: a solution stays only if teacher and scores agree on every step (spec §3.6).

A teacher that stops at the first wrong step has judged what training will show: it agrees if each
of its labels equals the scores', and it stopped because of an error or at the end. The released
data kept about half of the solutions.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from genprm.curate.folder import KEY, Row
from genprm.curate.labels import LabelledPath
from genprm.curate.progress import first_error
from genprm.curate.recipe import Agreement
from genprm.curate.teacher import Critique


class Cause(StrEnum):
    """Why a solution goes."""

    UNREADABLE = "unreadable"  # no critique can be read
    TIED = "tied"  # no judgement has a majority
    TEACHER_EARLIER = "teacher_earlier"  # the teacher's first error stands before the scores'
    TEACHER_LATER = "teacher_later"
    TEACHER_ONLY = "teacher_only"  # the scores see no error
    SCORES_ONLY = "scores_only"  # the teacher sees none
    AFTER_ERROR = "after_error"  # same first error, other labels after it


@dataclass(frozen=True, slots=True)
class Decision:
    """Which critique a solution keeps, or why it goes. One of the two is None."""

    kept: int | None
    cause: Cause | None


def decide(labels: Sequence[bool], critiques: Sequence[Critique], agreement: Agreement) -> Decision:
    """The fate of one solution.

    Args:
        labels: from the scores, [T].
        critiques: the teacher's samples, readable or not.
        agreement: which of them must agree.
    """
    readable = [i for i, critique in enumerate(critiques) if critique.unreadable is None]
    if not readable:
        return Decision(None, Cause.UNREADABLE)
    if agreement is Agreement.OFF:
        return Decision(readable[0], None)
    if agreement is Agreement.MAJORITY:
        chosen = _majority([critiques[i].labels for i in readable])
        if chosen is None:
            return Decision(None, Cause.TIED)
        candidates = [readable[chosen]]
    elif agreement is Agreement.ANY:
        candidates = readable
    else:
        candidates = readable[:1]
    disagreements = [disagreement(labels, critiques[i].labels) for i in candidates]
    if None in disagreements:
        return Decision(candidates[disagreements.index(None)], None)
    return Decision(None, disagreements[0])


def disagreement(labels: Sequence[bool], teacher: Sequence[bool]) -> Cause | None:
    """How the teacher's labels differ from the scores' [T]; None where they agree.

    Raises:
        ValueError: the teacher judged too few steps without finding an error.
    """
    if len(teacher) < len(labels) and first_error(teacher) < 0:
        raise ValueError(f"{len(teacher)} of {len(labels)} steps judged, none of them wrong")
    scores, taught = first_error(labels), first_error(teacher)
    if scores == taught:
        same = list(labels[: len(teacher)]) == list(teacher)
        return None if same else Cause.AFTER_ERROR
    if scores < 0:
        return Cause.TEACHER_ONLY
    if taught < 0:
        return Cause.SCORES_ONLY
    return Cause.TEACHER_EARLIER if taught < scores else Cause.TEACHER_LATER


def _majority(judgements: Sequence[tuple[bool, ...]]) -> int | None:
    """Index of the first of the judgements that more than half share; None for a tie."""
    (most, count), *_ = Counter(judgements).most_common(1)
    return judgements.index(most) if 2 * count > len(judgements) else None


def consensus_rows(
    paths: Iterable[LabelledPath], critiques: Iterable[Row], samples: int, agreement: Agreement
) -> Iterator[Row]:
    """One row for each path; critiques come in the paths' order, `samples` for each.

    A kept path's row holds the critique that is kept.
    """
    waiting = iter(critiques)
    for path in paths:
        own = [Critique.from_row(next(waiting)) for _ in range(samples)]
        decision = decide(path.labels, own, agreement)
        kept = None if decision.kept is None else own[decision.kept]
        yield {
            KEY: path.id,
            "problem": path.problem,
            "steps": list(path.steps),
            "labels": list(path.labels),
            "cause": decision.cause and decision.cause.value,
            "sample": decision.kept,
            "critique": kept and kept.to_row(),
        }
