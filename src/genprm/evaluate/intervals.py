"""Bootstrap intervals, resampling problems (rows), and paired ones for differences.

The same name, rows and number of draws give the same resamples. So two runs on the same rows are
compared draw by draw, and the noise that both share cancels. Subsets differ in name, so their
resamples are independent, and draws of their average are averages of their draws.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

DRAWS = 2000
SEED = 20250405
LEVEL = 0.95


@dataclass(frozen=True, slots=True)
class Interval:
    """A percentile interval, in the unit of its values."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Hits:
    """One subset as numbers, row by row.

    `hit` [rows] is 1 for a hit, 0 for a miss, or a probability of a hit; `has_error` [rows] marks
    the rows that have an error.
    """

    hit: Floats
    has_error: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Draws:
    """Resampled metrics of one subset, each [draws], in percent; nan where undefined."""

    error_accuracy: Floats
    correct_accuracy: Floats
    f1: Floats


def resample(name: str, rows: int, *, draws: int = DRAWS, seed: int = SEED) -> Floats:
    """How often each row is drawn, [draws, rows]; every draw sums to `rows`."""
    rng = np.random.default_rng([seed, crc32(name.encode())])
    drawn = rng.integers(rows, size=(draws, rows)) + rows * np.arange(draws)[:, None]
    counts = np.bincount(drawn.ravel(), minlength=draws * rows)
    return counts.reshape(draws, rows).astype(np.float64)


def bootstrap_f1(name: str, subset: Hits, *, draws: int = DRAWS, seed: int = SEED) -> Draws:
    """Resample a subset's rows; rows with and without an error are drawn together."""
    counts = resample(name, len(subset.hit), draws=draws, seed=seed)
    with np.errstate(invalid="ignore", divide="ignore"):
        error, correct = (
            counts @ (subset.hit * kind) / (counts @ kind) * 100
            for kind in (
                subset.has_error.astype(np.float64),
                (~subset.has_error).astype(np.float64),
            )
        )
        total = error + correct
        harmonic = np.where(total == 0, 0.0, 2 * error * correct / total)
    return Draws(error, correct, harmonic)


def bootstrap_mean(name: str, values: Floats, *, draws: int = DRAWS, seed: int = SEED) -> Floats:
    """Resampled means [draws, …] of per-problem values [problems, …]."""
    counts = resample(name, len(values), draws=draws, seed=seed)
    return np.tensordot(counts, values, axes=1) / len(values)


def interval(draws: Floats, *, level: float = LEVEL) -> Interval | None:
    """Percentile interval of one metric's draws; None if the metric was never defined."""
    known = draws[~np.isnan(draws)]
    if not len(known):
        return None
    low, high = np.quantile(known, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(low), float(high))


def bounds(draws: Floats) -> list[float] | None:
    """The same interval as [low, high], as JSON and tables need it."""
    found = interval(draws)
    return [found.low, found.high] if found else None


def hits(labels: Sequence[int], predictions: Sequence[int | None]) -> Hits:
    """Labels and predicted first errors, both [rows], as numbers."""
    return Hits(
        np.array([float(a == b) for a, b in zip(labels, predictions, strict=True)]),
        np.array([label != -1 for label in labels], dtype=np.bool_),
    )
