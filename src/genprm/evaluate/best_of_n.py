"""Choosing among N samples: expected accuracy over all N-subsets of a pool of M >= N.

A single draw of N samples depends on luck, so every estimate here is the mean over subsets. It is
exact, by counting, for Pass@N, majority and Best-of-N, and over many random orders for weighted
majority, whose subsets cannot be counted. Ties are split evenly.
"""

from collections.abc import Sequence
from math import comb

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

ORDERS = 512  # random orders behind a weighted majority; standard error <= 0.5 / sqrt(ORDERS)
SEED = 20250405


def pass_at_n(correct: Sequence[bool]) -> Floats:
    """Probability that N samples contain a correct one, [M] for N = 1 … M."""
    total, wrong = len(correct), correct.count(False)
    return np.array([1 - comb(wrong, n) / comb(total, n) for n in range(1, total + 1)])


def best_of_n(scores: Sequence[float | None], correct: Sequence[bool]) -> Floats:
    """Probability that the best-scored of N samples is correct, [M] for N = 1 … M.

    A sample without a score is chosen only if none of the N has one. Samples with equal scores are
    equally likely to be chosen.
    """
    total = len(scores)
    order = sorted(set(_rankable(scores)), reverse=True)
    ranks = _rankable(scores)
    expected = np.zeros(total)
    above = 0
    for value in order:
        group = [right for rank, right in zip(ranks, correct, strict=True) if rank == value]
        best = np.array(
            [
                (comb(total - above, n) - comb(total - above - len(group), n)) / comb(total, n)
                for n in range(1, total + 1)
            ]
        )
        expected += best * (sum(group) / len(group))
        above += len(group)
    return expected


def majority(answers: Sequence[int | None], correct: Sequence[bool]) -> Floats:
    """Probability that the most frequent answer of N samples is correct, [M] for N = 1 … M.

    A sample without an answer (None) is drawn but has no vote.
    """
    total = len(answers)
    sizes = {answer: answers.count(answer) for answer in answers if answer is not None}
    share = {answer: _share(answers, correct, answer) for answer in sizes}
    silent = _choose_polynomial(answers.count(None), total)
    expected = np.zeros(total)
    for winner, right in share.items():
        if not right:
            continue
        others = [size for answer, size in sizes.items() if answer != winner]
        for votes in range(1, sizes[winner] + 1):
            ways = comb(sizes[winner], votes) * np.convolve(silent, _outvoted(others, votes, total))
            for n in range(votes, total + 1):
                expected[n - 1] += right * ways[n - votes] / comb(total, n)
    return expected


def weighted_majority(
    answers: Sequence[int | None],
    weights: Sequence[float | None],
    correct: Sequence[bool],
    *,
    orders: int = ORDERS,
    seed: int = SEED,
) -> Floats:
    """Probability that the answer of most weight among N samples is correct, [M] for N = 1 … M.

    Estimated over `orders` random orders, whose first N samples are a uniform N-subset; give each
    problem its own `seed`, so that errors average out over problems. A sample without a weight or
    without an answer adds none.
    """
    total = len(answers)
    groups = sorted({answer for answer in answers if answer is not None})
    if not groups:
        return np.zeros(total)
    share = np.array([_share(answers, correct, group) for group in groups])
    weight = np.zeros((total, len(groups)))
    for row, (answer, value) in enumerate(zip(answers, weights, strict=True)):
        if answer is not None and value is not None:
            weight[row, groups.index(answer)] = value
    rng = np.random.default_rng(seed)
    order = rng.permuted(np.tile(np.arange(total), (orders, 1)), axis=1)
    mass = weight[order].cumsum(axis=1)  # [orders, N, groups]
    most = mass.max(axis=2, keepdims=True)
    tied = (mass >= most - 1e-12) & (most > 0)
    chosen = tied / np.maximum(tied.sum(axis=2, keepdims=True), 1)
    expected: Floats = (chosen @ share).mean(axis=0)
    return expected


def _rankable(scores: Sequence[float | None]) -> list[float]:
    return [float("-inf") if score is None or np.isnan(score) else score for score in scores]


def _share(answers: Sequence[int | None], correct: Sequence[bool], answer: int) -> float:
    """Share of correct samples among those with this answer; 0 or 1 unless their grades differ."""
    own = [right for said, right in zip(answers, correct, strict=True) if said == answer]
    return sum(own) / len(own)


def _choose_polynomial(size: int, degree: int) -> Floats:
    """Polynomial whose coefficient of x^i is the number of ways to draw i of `size`."""
    return np.array([float(comb(size, i)) for i in range(min(size, degree) + 1)])


def _outvoted(sizes: Sequence[int], votes: int, degree: int) -> Floats:
    """Ways to draw from groups so that none has more than `votes`, over x^(samples drawn).

    A draw in which t groups have exactly `votes` counts 1 / (1 + t): the winner shares with them.
    """
    ways = np.zeros((len(sizes) + 1, degree + 1))  # [tied groups, samples drawn]
    ways[0, 0] = 1
    for size in sizes:
        below = _choose_polynomial(size, votes - 1)
        grown = np.zeros_like(ways)
        for drawn, count in enumerate(below):
            grown[:, drawn:] += count * ways[:, : degree + 1 - drawn]
        if size >= votes:
            grown[1:, votes:] += comb(size, votes) * ways[:-1, : degree + 1 - votes]
        ways = grown
    shared: Floats = (ways / np.arange(1, len(sizes) + 2)[:, None]).sum(axis=0)
    return shared
