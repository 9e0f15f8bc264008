"""Accuracy against tokens for every way to spend them, and which way wins at which budget.

Reads the rows of `genprm rank`, `refine` and `search`. One ranking of M samples with V votes
holds every smaller N, fewer votes, and adaptive voting: they are read out of it, as means over
all N-subsets, at the cost those would have had (steps that follow the same steps are judged once).
Tokens are those that policy and verifier generated, a problem on average.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import comb
from statistics import fmean
from typing import Any

import numpy as np

from genprm.evaluate.best_of_n import Floats, best_of_n, majority, pass_at_n
from genprm.evaluate.intervals import Interval, bootstrap_mean, interval
from genprm.verify.aggregate import Aggregate
from genprm.verify.voting import Adaptive, asked_of

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Point:
    """One method at one setting: mean tokens, and how often it is right, [problems]."""

    method: str
    setting: str
    tokens: float
    correct: Floats

    @property
    def accuracy(self) -> float:
        """In percent."""
        return float(self.correct.mean() * 100)

    @property
    def band(self) -> Interval | None:
        """95 % interval over problems, in percent."""
        return interval(bootstrap_mean("scaling", self.correct) * 100)


@dataclass(frozen=True, slots=True)
class Winner:
    """The best point that a budget allows, and by how much it leads the next method.

    `lead` is the interval of the paired difference to the best point of any other method, in
    percent points; one that holds 0 is no clear win. None where there is no other.
    """

    budget: int
    point: Point
    second: Point | None
    lead: Interval | None


@dataclass(frozen=True, slots=True)
class Voting:
    """How many votes a Best-of-N asks on a step."""

    name: str
    votes: int
    adaptive: Adaptive = Adaptive.OFF


def ranking_points(rows: Sequence[Row], aggregate: Aggregate) -> list[Point]:
    """Majority, Pass@N as the bound, and Best-of-N with fewer, all, and adaptive votes.

    `rows` are a ranking's, of problems whose gold answer is known; nothing may be abandoned.
    """
    samples = min(len(row["correct"]) for row in rows)
    wanted = min((step["wanted"] for row in rows for step in row["judged"]), default=1)
    votings = [Voting(f"best-of-N, {v} vote{'s' * (v > 1)}", v) for v in (1, 4, 8) if v <= wanted]
    if wanted > 1:
        votings += [
            Voting(f"best-of-N, {rule} votes", wanted, rule)
            for rule in (Adaptive.EXACT, Adaptive.CONFIDENT)
        ]
    sizes = [n for n in (2**k for k in range(16)) if n <= samples]
    drawn = np.array(
        [fmean(sample["usage"]["tokens_out"] for sample in row["samples"]) for row in rows]
    )
    points = [
        *_curve("Pass@N (bound)", rows, sizes, drawn, lambda row: pass_at_n(row["correct"])),
        *_curve(
            "majority", rows, sizes, drawn, lambda row: majority(row["groups"], row["correct"])
        ),
    ]
    for voting in votings:
        judged = [_judged(row, voting) for row in rows]
        correct = np.array(
            [
                best_of_n(pool.scores(aggregate), row["correct"])[:samples]
                for row, pool in zip(rows, judged, strict=True)
            ]
        )
        for n in sizes:
            verified = fmean(_expected(pool, n) for pool in judged)
            tokens = n * float(drawn.mean()) + verified
            points.append(Point(voting.name, f"N = {n}", tokens, correct[:, n - 1]))
    return points


def refinement_points(rows: Sequence[Row], method: str, *, keep_best: bool) -> list[Point]:
    """The answer that would have been given after each turn."""
    turns = max(len(row["turns"]) for row in rows)
    points = []
    for turn in range(turns):
        made = [row["turns"][: turn + 1] for row in rows]
        tokens = [sum(_tokens(one["cost"]) for one in some) for some in made]
        given = [_given(some) if keep_best else len(some) - 1 for some in made]
        correct = [float(row["correct"][at]) for row, at in zip(rows, given, strict=True)]
        points.append(Point(method, f"turn {turn}", float(np.mean(tokens)), np.array(correct)))
    return points


def search_point(rows: Sequence[Row], method: str, setting: str) -> Point:
    """The answer that the search gave."""
    tokens = float(np.mean([_tokens(row["cost"]) for row in rows]))
    correct = [row["choice"] is not None and row["correct"][row["choice"]] for row in rows]
    return Point(method, setting, tokens, np.array(correct, dtype=np.float64))


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
    """A pool under one way of voting: step rewards [samples][steps], and what judging cost."""

    samples: int
    rewards: tuple[tuple[float | None, ...], ...]
    costs: tuple[tuple[int, int], ...]  # (samples that hold it, tokens) of each judged step

    def scores(self, aggregate: Aggregate) -> list[float | None]:
        return [aggregate.score(steps) for steps in self.rewards]


def _judged(row: Row, voting: Voting) -> _Judged:
    asked = [
        (step, asked_of(step["votes"][: voting.votes], voting.adaptive)) for step in row["judged"]
    ]
    rewards = [_mean_reward(step["votes"][:count]) for step, count in asked]
    tokens = [sum(step["tokens"][:count]) for step, count in asked]
    holders = Counter(node for path in row["paths"] for node in path)
    return _Judged(
        samples=len(row["paths"]),
        rewards=tuple(tuple(rewards[node] for node in path) for path in row["paths"]),
        costs=tuple((holders[node], tokens[node]) for node in holders),
    )


def _expected(judged: _Judged, n: int) -> float:
    """Expected tokens of judging the different steps among n samples of the pool."""
    total = judged.samples
    return sum(
        cost * (1 - comb(total - holders, n) / comb(total, n)) for holders, cost in judged.costs
    )


def _curve(
    method: str,
    rows: Sequence[Row],
    sizes: Sequence[int],
    drawn: Floats,
    expected: Callable[[Row], Floats],
) -> list[Point]:
    values = np.array([expected(row)[: sizes[-1]] for row in rows])
    return [Point(method, f"N = {n}", float(n * drawn.mean()), values[:, n - 1]) for n in sizes]


def _given(turns: Sequence[Row]) -> int:
    """Verified answers first, then by score, the earliest of equals: as `scale.refine` keeps."""

    def rank(index: int) -> tuple[bool, float, int]:
        turn = turns[index]
        return (
            turn.get("first_error") == -1,
            -1.0 if turn["score"] is None else turn["score"],
            -index,
        )

    return max(range(len(turns)), key=rank)


def _tokens(cost: Row) -> int:
    return int(cost["policy"]["tokens_out"] + cost["verifier"]["tokens_out"])


def _mean_reward(votes: Sequence[float | None]) -> float | None:
    known = [reward for reward in votes if reward is not None]
    return sum(known) / len(known) if known else None


def _rank(point: Point) -> tuple[float, float]:
    return point.accuracy, -point.tokens
