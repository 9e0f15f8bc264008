"""A cheap verifier first, a strong one only on the steps that the cheap one is unsure of.

The rule is a band of rewards: inside it the cheap judge is unsure. `fit` finds the cheapest band
that keeps to the strong judge on a validation split that both have judged completely; `outcome`
says what a band would have cost and found on any such split, so a whole cost-quality curve needs
no further model call. `Cascade` is a verifier like any other.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import product

from genprm.problem import Solution
from genprm.verdict import THRESHOLD, SolutionVerdict, StepVerdict, Usage, total
from genprm.verify.history import History
from genprm.verify.verifier import Settings, Verifier
from genprm.verify.voting import representative

GRID = 24  # quantiles tried for each end of the band


@dataclass(frozen=True, slots=True)
class Band:
    """The cheap judge is unsure of rewards strictly between `low` and `high`."""

    low: float
    high: float

    def unsure(self, reward: float | None) -> bool:
        """Whether the strong judge is asked; an abstention always asks it."""
        return reward is None or self.low < reward < self.high


ALWAYS = Band(-1.0, 2.0)


@dataclass(frozen=True, slots=True)
class JudgedTwice:
    """One solution that both judges have judged step by step, up to its first error or its end."""

    cheap: SolutionVerdict
    strong: SolutionVerdict


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a cascade would have said of a solution, and what it would have cost."""

    first_error: int | None
    cheap: Usage
    strong: Usage
    steps: int  # judged, by either
    asked: int  # of them, by the strong judge


def outcome(pair: JudgedTwice, band: Band) -> Outcome:
    """Play the cascade over stored verdicts, up to the first step that it calls wrong.

    Where a judge stopped before that step, its verdict there is unknown: no label.
    """
    cheap, strong = [], []
    judged = 0
    first_error: int | None = -1
    for index in range(max(len(pair.cheap.steps), len(pair.strong.steps))):
        first = pair.cheap.steps[index] if index < len(pair.cheap.steps) else None
        label = first.label if first else None
        judged += 1
        cheap += [first.usage] if first else []
        if first is None or band.unsure(first.reward):
            second = pair.strong.steps[index] if index < len(pair.strong.steps) else None
            label = second.label if second else None
            strong.append(second.usage if second else Usage())
        if label is not True:
            first_error = None if label is None else index
            break
    return Outcome(first_error, total(cheap), total(strong), judged, len(strong))


def fit(pairs: Sequence[JudgedTwice], *, disagreement: float = 0.01) -> Band:
    """The band with the fewest generated tokens whose first errors differ from the strong judge's
    in at most this share of the solutions.

    A band that holds every reward asks the strong judge always, so there is always an answer.
    """
    allowed = disagreement * len(pairs)
    best, least = ALWAYS, float("inf")
    for band in candidates(pairs):
        outcomes = [outcome(pair, band) for pair in pairs]
        tokens = sum(o.cheap.tokens_out + o.strong.tokens_out for o in outcomes)
        differing = sum(
            o.first_error != pair.strong.first_error
            for o, pair in zip(outcomes, pairs, strict=True)
        )
        if differing <= allowed and tokens < least:
            best, least = band, tokens
    return best


def candidates(pairs: Sequence[JudgedTwice], *, grid: int = GRID) -> Iterable[Band]:
    """Bands around the threshold whose ends are quantiles of the cheap rewards."""
    rewards = [
        step.reward for pair in pairs for step in pair.cheap.steps if step.reward is not None
    ]
    below = _quantiles([r for r in rewards if r < THRESHOLD], grid)
    above = _quantiles([r for r in rewards if r >= THRESHOLD], grid)
    return (Band(low, high) for low, high in product([ALWAYS.low, *below], [*above, ALWAYS.high]))


def _quantiles(values: list[float], count: int) -> list[float]:
    values = sorted(values)
    picked = {values[index * (len(values) - 1) // (count - 1)] for index in range(count) if values}
    return sorted(picked)


class Cascade(Verifier):
    """Judges as `strong` would, but asks it only where `cheap` is unsure.

    Each judge keeps its own history. On a step that the cheap one settled, the strong one's
    history takes over that turn if both judge in the same mode; else its turn stays empty.
    """

    def __init__(self, cheap: Verifier, strong: Verifier, band: Band) -> None:
        super().__init__(strong.model, strong.sandbox, strong.settings, clock=strong.clock)
        self.cheap = cheap
        self.band = band

    def using(self, settings: Settings) -> "Cascade":
        """The strong judge under other settings; the cheap one keeps its mode and votes."""
        own = self.cheap.settings
        cheap = replace(settings, mode=own.mode, votes=own.votes, adaptive=own.adaptive)
        return Cascade(self.cheap.using(cheap), super().using(settings), self.band)

    def begin(self) -> History:
        """As a verifier's; it holds both judges' histories."""
        return _Both(self.cheap.begin(), super().begin())

    async def judge_next(
        self, solution: Solution, history: History, *, row: int = 0
    ) -> StepVerdict:
        """As a verifier's; a verdict of the strong judge holds the one that it replaced."""
        assert isinstance(history, _Both)
        first = await self.cheap.judge_next(solution, history.cheap, row=row)
        if not self.band.unsure(first.reward):
            await self._follow(history.strong, first)
            return first
        second = await super().judge_next(solution, history.strong, row=row)
        return replace(second, screening=first)

    async def _follow(self, history: History, verdict: StepVerdict) -> None:
        kept = representative(verdict)
        if kept is None or self.cheap.settings.mode is not self.settings.mode:
            history.skip()
        else:
            await history.adopt(verdict.votes[kept], self.settings.code_timeout)


class _Both(History):
    """What each of the two judges remembers."""

    def __init__(self, cheap: History, strong: History) -> None:
        self.cheap = cheap
        self.strong = strong

    async def copy(self) -> History:
        return _Both(await self.cheap.copy(), await self.strong.copy())

    async def close(self) -> None:
        await self.cheap.close()
        await self.strong.close()
