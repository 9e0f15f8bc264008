"""Two runs side by side: the same solutions in both, those with differing verdicts first."""

from collections import defaultdict

from genprm.records.record import Record
from genprm.viewer.documents import Summary
from genprm.viewer.index import RunIndex


class Pair(Record):
    """One solution as both runs judged it; `gap` is how far apart their lowest rewards are."""

    a: Summary
    b: Summary
    differs: bool
    gap: float


class Comparison(Record):
    """All pairs in order, and how many solutions only one of the runs holds."""

    pairs: tuple[Pair, ...]
    differing: int
    only_a: int
    only_b: int


def compare(a: RunIndex, b: RunIndex) -> Comparison:
    """Pair the solutions of two runs. A solution that occurs twice is paired in order."""
    waiting: dict[str, list[Summary]] = defaultdict(list)
    for name, summary in b.fingerprints():
        waiting[name].append(summary)
    pairs: list[Pair] = []
    only_a = 0
    for name, left in a.fingerprints():
        if not waiting[name]:
            only_a += 1
            continue
        right = waiting[name].pop(0)
        gap = 0.0
        if left.lowest is not None and right.lowest is not None:
            gap = abs(left.lowest - right.lowest)
        differs = left.first_error != right.first_error or left.wrong != right.wrong
        pairs.append(Pair(a=left, b=right, differs=differs, gap=gap))
    pairs.sort(key=lambda pair: (not pair.differs, -pair.gap, pair.a.index))
    return Comparison(
        pairs=tuple(pairs),
        differing=sum(pair.differs for pair in pairs),
        only_a=only_a,
        only_b=sum(map(len, waiting.values())),
    )
