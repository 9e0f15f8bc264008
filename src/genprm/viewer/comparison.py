"""Two runs side by side: the solutions in both, those with differing verdicts first."""

from collections import defaultdict
from typing import NamedTuple

from genprm.records.record import Record
from genprm.viewer.documents import Summary
from genprm.viewer.index import RunIndex, VerdictSummary


class Pair(Record):
    """One solution as both runs judged it; `gap` is the difference of their lowest rewards."""

    a: Summary
    b: Summary
    differs: bool
    gap: float


class Comparison(Record):
    """One page of the pairs, their total number, and the rows that are in only one of the runs."""

    total: int
    differing: int
    only_a: int
    only_b: int
    pairs: tuple[Pair, ...]


class Place(Record):
    """A pair's position in the comparison, from 0, and the pairs (row in a, row in b) around it."""

    place: int | None
    total: int
    before: tuple[int, int] | None = None
    after: tuple[int, int] | None = None


class _Match(NamedTuple):
    differs: bool
    gap: float
    a: int
    b: int


def compare(a: RunIndex, b: RunIndex, offset: int, limit: int) -> Comparison:
    """Pair the solutions of two runs. A solution that occurs twice is paired in order."""
    left, right = a.verdicts(), b.verdicts()
    matches = _matches(left, right)
    shown = matches[offset : offset + limit]
    sides = zip(
        a.summaries(match.a for match in shown),
        b.summaries(match.b for match in shown),
        shown,
        strict=True,
    )
    return Comparison(
        total=len(matches),
        differing=sum(match.differs for match in matches),
        only_a=len(left) - len(matches),
        only_b=len(right) - len(matches),
        pairs=tuple(Pair(a=x, b=y, differs=m.differs, gap=m.gap) for x, y, m in sides),
    )


def place_of(a: RunIndex, b: RunIndex, left: int, right: int) -> Place:
    """The position of the pair of these rows in the comparison."""
    pairs = [(match.a, match.b) for match in _matches(a.verdicts(), b.verdicts())]
    if (left, right) not in pairs:
        return Place(place=None, total=len(pairs))
    at = pairs.index((left, right))
    return Place(
        place=at,
        total=len(pairs),
        before=pairs[at - 1] if at else None,
        after=pairs[at + 1] if at + 1 < len(pairs) else None,
    )


def _matches(left: list[VerdictSummary], right: list[VerdictSummary]) -> list[_Match]:
    waiting: dict[str, list[VerdictSummary]] = defaultdict(list)
    for row in reversed(right):
        waiting[row.fingerprint].append(row)
    found = [(row, waiting[row.fingerprint].pop()) for row in left if waiting[row.fingerprint]]
    return sorted(
        (_Match(_differ(x, y), _gap(x, y), x.number, y.number) for x, y in found),
        key=lambda match: (not match.differs, -match.gap, match.a),
    )


def _differ(a: VerdictSummary, b: VerdictSummary) -> bool:
    """Whether the verdicts differ, or one choice is correct and the other wrong."""
    known = a.wrong is not None and b.wrong is not None
    return a.first_error != b.first_error or (known and a.wrong != b.wrong)


def _gap(a: VerdictSummary, b: VerdictSummary) -> float:
    return 0.0 if a.lowest is None or b.lowest is None else abs(a.lowest - b.lowest)
