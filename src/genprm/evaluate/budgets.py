"""Accuracy by tokens for each method, and which method wins at which budget.

This reads the rows of `genprm rank`, `refine` and `search`. One ranking of M samples with V votes
contains every smaller N, fewer votes, and adaptive voting. They are computed from it as means over
all N-subsets, at the cost they would have had (steps that follow the same steps are judged once).
Tokens are those that policy and verifier generated, as the mean over problems.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import comb
from statistics import fmean

import numpy as np

from genprm.evaluate.best_of_n import Floats, best_of_n, majority, pass_at_n
from genprm.evaluate.intervals import Interval, bootstrap_mean, interval
from genprm.records.pools import ProblemRow
from genprm.records.rankings import RankingRow
from genprm.records.refinements import RefinementRow, best_turn
from genprm.records.searches import SearchRow
from genprm.verdict import mean_reward
from genprm.verify.aggregate import Aggregate
from genprm.verify.voting import Adaptive, asked_of


@dataclass(frozen=True, slots=True)
class Point:
    """One method at one setting: mean tokens, and the probability of being right, [problems]."""

    method: str
    setting: str
    tokens: float
    correct: Floats

    @property
    def accuracy(self) -> float:
        """The accuracy in percent."""
        return float(self.correct.mean() * 100)

    @property
    def band(self) -> Interval | None:
        """95 % interval over problems, in percent."""
        return interval(bootstrap_mean("scaling", self.correct) * 100)


@dataclass(frozen=True, slots=True)
class Winner:
    """The best point that a budget allows, and by how much it leads the next method.

    `lead` is the interval of the paired difference to the best point of any other method, in
    percentage points; if it contains 0, the lead is not clear. None if there is no other method.
    """

    budget: int
    point: Point
    second: Point | None
    lead: Interval | None


@dataclass(frozen=True, slots=True)
class Voting:
    """How many votes Best-of-N casts on a step."""

    name: str
    votes: int
    adaptive: Adaptive = Adaptive.OFF


def ranking_points(rows: Sequence[RankingRow], aggregate: Aggregate) -> list[Point]:
    """Majority, Pass@N as the upper bound, and Best-of-N with fewer, all, and adaptive votes.

    The gold answers of `rows` must be known, and no sample may have been abandoned.
    """
    truth = [known(row) for row in rows]
    samples = min(map(len, truth))
    wanted = min((step.wanted for row in rows for step in row.judged), default=1)
    votings = [Voting(f"best-of-N, {v} vote{'s' * (v > 1)}", v) for v in (1, 4, 8) if v <= wanted]
    if wanted > 1:
        votings += [
            Voting(f"best-of-N, {rule} votes", wanted, rule)
            for rule in (Adaptive.EXACT, Adaptive.CONFIDENT)
        ]
    sizes = [n for n in (2**k for k in range(16)) if n <= samples]
    drawn = np.array([fmean(sample.usage.tokens_out for sample in row.samples) for row in rows])
    passed = [pass_at_n(correct) for correct in truth]
    agreed = [majority(row.groups, correct) for row, correct in zip(rows, truth, strict=True)]
    points = [
        *_curve("Pass@N (bound)", sizes, drawn, passed),
        *_curve("majority", sizes, drawn, agreed),
    ]
    for voting in votings:
        judged = [_judged(row, voting) for row in rows]
        correct = np.array(
            [
                best_of_n(pool.scores(aggregate), graded)[:samples]
                for graded, pool in zip(truth, judged, strict=True)
            ]
        )
        for n in sizes:
            verified = fmean(_expected(pool, n) for pool in judged)
            tokens = n * float(drawn.mean()) + verified
            points.append(Point(voting.name, f"N = {n}", tokens, correct[:, n - 1]))
    return points


def refinement_points(
    rows: Sequence[RefinementRow], method: str, *, keep_best: bool
) -> list[Point]:
    """A point for the answer after each turn."""
    points = []
    for turn in range(max(len(row.turns) for row in rows)):
        made = [row.turns[: turn + 1] for row in rows]
        tokens = [sum(one.cost.tokens for one in some) for some in made]
        given = [
            best_turn([(one.first_error, one.score) for one in some])
            if keep_best
            else len(some) - 1
            for some in made
        ]
        correct = [float(known(row)[at]) for row, at in zip(rows, given, strict=True)]
        points.append(Point(method, f"turn {turn}", float(np.mean(tokens)), np.array(correct)))
    return points


def search_point(rows: Sequence[SearchRow], method: str, setting: str) -> Point:
    """The point of the search's answer."""
    tokens = float(np.mean([row.cost.tokens for row in rows]))
    correct = [row.choice is not None and known(row)[row.choice] for row in rows]
    return Point(method, setting, tokens, np.array(correct, dtype=np.float64))


def known(row: ProblemRow) -> tuple[bool, ...]:
    """Which answers are correct, [answers].

    Raises:
        ValueError: the row's gold answer is unknown.
    """
    if row.correct is None:
        raise ValueError(f"{row.id}: no gold answer")
    return row.correct


def winners(points: Sequence[Point]) -> list[Winner]:
    """The best point within each budget, for budgets in powers of two."""
    real = [point for point in points if not point.method.startswith("Pass@N")]
    lowest, highest = (f(point.tokens for point in real) for f in (min, max))
    budgets = [2**k for k in range(4, 32) if lowest <= 2**k < 2 * highest]
    found = []
    for budget in budgets:
        affordable = [point for point in real if point.tokens <= budget]
        first = max(affordable, key=_rank)
        others = [point for point in affordable if point.method != first.method]
        second = max(others, key=_rank, default=None)
        lead = None
        if second is not None:
            difference = (first.correct - second.correct) * 100
            lead = interval(bootstrap_mean("scaling", difference))
        found.append(Winner(budget, first, second, lead))
    return found


@dataclass(frozen=True, slots=True)
class _Judged:
    """A pool under one way of voting: step rewards [samples][steps], and the cost of judging."""

    samples: int
    rewards: tuple[tuple[float | None, ...], ...]
    costs: tuple[tuple[int, int], ...]  # (samples that hold it, tokens) of each judged step

    def scores(self, aggregate: Aggregate) -> list[float | None]:
        return [aggregate.score(steps) for steps in self.rewards]


def _judged(row: RankingRow, voting: Voting) -> _Judged:
    asked = [(step, asked_of(step.votes[: voting.votes], voting.adaptive)) for step in row.judged]
    rewards = [mean_reward(step.votes[:count]) for step, count in asked]
    tokens = [sum(step.tokens[:count]) for step, count in asked]
    holders = Counter(node for path in row.paths for node in path)
    return _Judged(
        samples=len(row.paths),
        rewards=tuple(tuple(rewards[node] for node in path) for path in row.paths),
        costs=tuple((holders[node], tokens[node]) for node in holders),
    )


def _expected(judged: _Judged, n: int) -> float:
    """Expected tokens of judging the different steps among n samples of the pool."""
    total = judged.samples
    return sum(
        cost * (1 - comb(total - holders, n) / comb(total, n)) for holders, cost in judged.costs
    )


def _curve(
    method: str, sizes: Sequence[int], drawn: Floats, expected: Sequence[Floats]
) -> list[Point]:
    """The points of a method by N; `expected` [problems][N - 1] is its probability to be right."""
    values = np.array([one[: sizes[-1]] for one in expected])
    return [Point(method, f"N = {n}", float(n * drawn.mean()), values[:, n - 1]) for n in sizes]


def _rank(point: Point) -> tuple[float, float]:
    return point.accuracy, -point.tokens
