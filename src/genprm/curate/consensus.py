"""Stage 5, consensus: keep a solution only if teacher and scores agree on each step (spec §3.6).

A teacher that stops at the first incorrect step has judged all that training will show. It agrees
if each of its labels equals that of the scores, and if it stopped because of an error or at the
end. The released data kept about half of the solutions.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from genprm.curate.recipe import Agreement
from genprm.records.critiques import Critique, CritiqueRow
from genprm.records.curation import ConsensusRow, Disagreement, LabelledPathRow
from genprm.verdict import first_error


@dataclass(frozen=True, slots=True)
class Decision:
    """Which critique a solution keeps, or why it is dropped. One of the two is None."""

    kept: int | None
    cause: Disagreement | None


def decide(labels: Sequence[bool], critiques: Sequence[Critique], agreement: Agreement) -> Decision:
    """Decide whether a solution is kept.

    Args:
        labels: the labels from the scores, [T].
        critiques: the teacher's samples, readable or not.
        agreement: which of them must agree.
    """
    readable = [i for i, critique in enumerate(critiques) if critique.unreadable is None]
    if not readable:
        return Decision(None, Disagreement.UNREADABLE)
    if agreement is Agreement.OFF:
        return Decision(readable[0], None)
    if agreement is Agreement.MAJORITY:
        chosen = _majority([critiques[i].labels for i in readable])
        if chosen is None:
            return Decision(None, Disagreement.TIED)
        candidates = [readable[chosen]]
    elif agreement is Agreement.ANY:
        candidates = readable
    else:
        candidates = readable[:1]
    disagreements = [disagreement(labels, critiques[i].labels) for i in candidates]
    if None in disagreements:
        return Decision(candidates[disagreements.index(None)], None)
    return Decision(None, disagreements[0])


def disagreement(labels: Sequence[bool], teacher: Sequence[bool]) -> Disagreement | None:
    """How the teacher's labels differ from the scores' [T]; None if they agree.

    Raises:
        ValueError: the teacher judged too few steps without finding an error.
    """
    if len(teacher) < len(labels) and first_error(teacher) < 0:
        raise ValueError(f"{len(teacher)} of {len(labels)} steps judged, none of them incorrect")
    scores, taught = first_error(labels), first_error(teacher)
    if scores == taught:
        same = list(labels[: len(teacher)]) == list(teacher)
        return None if same else Disagreement.AFTER_ERROR
    if scores < 0:
        return Disagreement.TEACHER_ONLY
    if taught < 0:
        return Disagreement.SCORES_ONLY
    return Disagreement.TEACHER_EARLIER if taught < scores else Disagreement.TEACHER_LATER


def _majority(judgements: Sequence[tuple[bool, ...]]) -> int | None:
    """Index of the first critique with the judgement of more than half; None for a tie."""
    (most, count), *_ = Counter(judgements).most_common(1)
    return judgements.index(most) if 2 * count > len(judgements) else None


def consensus_rows(
    paths: Iterable[LabelledPathRow], critiques: Iterable[CritiqueRow], agreement: Agreement
) -> Iterator[ConsensusRow]:
    """One row for each labelled path. Paths and critiques come in the same order.

    A kept path's row holds the critique that is kept.
    """
    by_path = groupby(critiques, lambda row: row.path)
    for path in paths:
        own = next(list(rows) for name, rows in by_path if name == path.key)
        decision = decide(path.labels, [row.critique for row in own], agreement)
        yield ConsensusRow(
            key=path.key,
            problem=path.problem,
            steps=path.steps,
            labels=path.labels,
            cause=decision.cause,
            sample=decision.kept,
            critique=None if decision.kept is None else own[decision.kept].critique,
        )
