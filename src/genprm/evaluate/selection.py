"""Every method of choosing among samples, over a set of pools: the curves of Figure 4."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from zlib import crc32

import numpy as np

from genprm.evaluate.best_of_n import (
    Floats,
    best_of_n,
    majority,
    pass_at_n,
    weighted_majority,
)
from genprm.evaluate.intervals import bootstrap_mean, interval
from genprm.evaluate.pools import GradedPool, scorers
from genprm.verify.aggregate import Aggregate

FILE = "selection.json"
PASS, MAJORITY, BEST, WEIGHTED = "Pass@N", "Majority", "Best-of-N", "Weighted majority"


@dataclass(frozen=True, slots=True)
class Curve:
    """Accuracy in percent for N = 1 … samples, with its 95 % interval over problems.

    `scorer` and `aggregate` are None for the methods that use no scores.
    """

    method: str
    scorer: str | None
    aggregate: str | None
    mean: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]

    @property
    def name(self) -> str:
        """The name in a legend."""
        return " ".join(filter(None, (self.method, self.scorer, self.aggregate)))


@dataclass(frozen=True, slots=True)
class Selection:
    """All curves over one set of problems."""

    name: str
    problems: int
    samples: int  # of the smallest pool: the largest N
    curves: tuple[Curve, ...]

    def curve(self, method: str, scorer: str | None = None, aggregate: str | None = None) -> Curve:
        """The curve with this method, scorer and aggregate."""
        wanted = (method, scorer, aggregate)
        return next(c for c in self.curves if (c.method, c.scorer, c.aggregate) == wanted)


def select(name: str, pools: Sequence[GradedPool]) -> Selection:
    """All methods over one set of pools, intervals by resampling its problems."""
    samples = min(len(pool.correct) for pool in pools)

    def curve(
        method: str,
        expected: Callable[[GradedPool], Floats],
        scorer: str | None = None,
        aggregate: str | None = None,
    ) -> Curve:
        values = np.array([expected(pool)[:samples] for pool in pools]) * 100
        draws = bootstrap_mean(name, values)
        bands = [interval(draws[:, n]) for n in range(samples)]
        return Curve(
            method,
            scorer,
            aggregate,
            tuple(values.mean(axis=0).tolist()),
            tuple(band.low for band in bands if band),
            tuple(band.high for band in bands if band),
        )

    curves = [
        curve(PASS, lambda pool: pass_at_n(pool.correct)),
        curve(MAJORITY, lambda pool: majority(pool.answers, pool.correct)),
    ]
    for scorer in scorers(pools):
        for aggregate in Aggregate:
            best, weighted = _scored(scorer, aggregate)
            curves.append(curve(BEST, best, scorer, aggregate.value))
            curves.append(curve(WEIGHTED, weighted, scorer, aggregate.value))
    return Selection(name, len(pools), samples, tuple(curves))


def to_json(selections: Sequence[Selection]) -> str:
    """Selections as one JSON document."""
    return json.dumps([asdict(selection) for selection in selections], indent=1) + "\n"


def read_selections(path: Path) -> list[Selection]:
    """Read what `to_json` wrote."""
    return [
        Selection(
            one["name"],
            one["problems"],
            one["samples"],
            tuple(Curve(**curve) for curve in one["curves"]),
        )
        for one in json.loads(path.read_text())
    ]


def _scored(
    scorer: str, aggregate: Aggregate
) -> tuple[Callable[[GradedPool], Floats], Callable[[GradedPool], Floats]]:
    def scores(pool: GradedPool) -> list[float | None]:
        return [aggregate.score(steps) for steps in pool.step_scores[scorer]]

    def best(pool: GradedPool) -> Floats:
        return best_of_n(scores(pool), pool.correct)

    def weighted(pool: GradedPool) -> Floats:
        seed = crc32(pool.id.encode())
        return weighted_majority(pool.answers, scores(pool), pool.correct, seed=seed)

    return best, weighted
