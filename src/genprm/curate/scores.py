"""Monte-Carlo scores: definition, number of completions, and which are needed (eq. 8, 9).

`MC(s_t, a_t)` is the share of completions of the prefix `a_1 … a_t` that reach the gold answer.
The last step needs none: its own answer says 1 or 0. After the first zero every later score is
zero too, so it is not sampled.

An estimator is a generator: it yields the length of a prefix that it needs scored, is sent the
`Score`, and returns the scores of all steps. The same code runs over a model, and over stored
scores to count what it would have cost.
"""

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import sqrt
from typing import TypeAlias

from genprm.curate.recipe import Band, Estimator

Z_95 = 1.959963984540054  # of the normal distribution: a two-sided 95 % interval


@dataclass(frozen=True, slots=True)
class Score:
    """`hits` of `total` completions reach the gold answer."""

    hits: int
    total: int

    @property
    def value(self) -> Fraction:
        """MC as an exact fraction; 0 if no completion could be decided."""
        return Fraction(self.hits, self.total) if self.total else Fraction(0)

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's 95 % interval."""
        return wilson(self.hits, self.total)


ZERO = Score(0, 0)  # decided by an earlier zero, not sampled

# Scores of a path's steps [T]. None: known to be above zero, not by how much (binary search).
Scores: TypeAlias = tuple[Score | None, ...]
Estimation: TypeAlias = Generator[int, Score, Scores]


def wilson(hits: int, total: int, z: float = Z_95) -> tuple[float, float]:
    """Wilson's score interval of a share (Wilson 1927); (0, 1) where nothing was counted."""
    if total == 0:
        return 0.0, 1.0
    share = hits / total
    scale = 1 + z * z / total
    centre = (share + z * z / (2 * total)) / scale
    half = z / scale * sqrt(share * (1 - share) / total + z * z / (4 * total * total))
    return max(0.0, centre - half), min(1.0, centre + half)


def completions(pass_at_1: Fraction, bands: Sequence[Band]) -> int:
    """Dynamic K (eq. 9): the number of completions of a prefix, by its problem's MC(s_1).

    The last band includes 1, the value of problems without incorrect samples.
    """
    return next(
        (band.completions for band in bands if pass_at_1 < Fraction(str(band.below))),
        bands[-1].completions,
    )


def estimate(estimator: Estimator, steps: int, *, correct: bool) -> Estimation:
    """A generator that asks for the scores that `estimator` needs and returns all of them, [T]."""
    return _ESTIMATORS[estimator](steps, Score(int(correct), 1))


def _exhaustive(steps: int, last: Score) -> Estimation:
    scores: list[Score | None] = []
    for length in range(1, steps):
        score = yield length
        scores.append(score)
        if score.value == 0:
            return (*scores, *[ZERO] * (steps - length))
    return (*scores, last)


def _binary_search(steps: int, last: Score) -> Estimation:
    """OmegaPRM (Luo et al. 2024): about log2(T) scores instead of T - 1.

    As in that paper, a correct path is assumed to be correct in every step, which costs nothing.
    """
    known: dict[int, Score] = {steps: last}
    low, high = (0, steps) if last.value == 0 else (steps, steps + 1)  # MC(low) > 0 = MC(high)
    while high - low > 1:
        middle = (low + high) // 2
        known[middle] = yield middle
        low, high = (low, middle) if known[middle].value == 0 else (middle, high)
    above = tuple(known.get(length) for length in range(1, low + 1))
    return above + tuple(known.get(length, ZERO) for length in range(low + 1, steps + 1))


_ESTIMATORS: dict[Estimator, Callable[[int, Score], Estimation]] = {
    Estimator.EXHAUSTIVE: _exhaustive,
    Estimator.BINARY: _binary_search,
}


def replay(estimation: Estimation, score: Callable[[int], Score]) -> tuple[Scores, list[int]]:
    """Run an estimation over known scores; also returns the lengths it asked for, in order."""
    asked: list[int] = []
    try:
        length = next(estimation)
        while True:
            asked.append(length)
            length = estimation.send(score(length))
    except StopIteration as end:
        scores: Scores = end.value
    return scores, asked
