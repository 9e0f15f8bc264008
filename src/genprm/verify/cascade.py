"""A cheap verifier judges first, and a strong one only the steps that the cheap one is unsure of.

The rule is a band of rewards in which the cheap judge counts as unsure. `fit` finds the cheapest
band that agrees with the strong judge on a validation split that both have judged completely.
`outcome` computes what a band would have cost and found on any such split, so a whole
cost-quality curve needs no further model call. `Cascade` is a judge composed of these two.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import product

from genprm.problem import Solution
from genprm.records.record import json_object
from genprm.records.run_spec import JudgeSpec
from genprm.verdict import THRESHOLD, SolutionVerdict, StepVerdict, Usage, total
from genprm.verify.judge import StepHistory, StepJudge
from genprm.verify.settings import Settings

GRID = 24  # quantiles tried for each end of the band


@dataclass(frozen=True, slots=True)
class Band:
    """The cheap judge is unsure of rewards strictly between `low` and `high`."""

    low: float
    high: float

    def unsure(self, reward: float | None) -> bool:
        """Whether the strong judge is asked; after an abstention it always is."""
        return reward is None or self.low < reward < self.high


ALWAYS = Band(-1.0, 2.0)


@dataclass(frozen=True, slots=True)
class JudgedTwice:
    """One solution that both judges have judged step by step, up to its first error or its end."""

    cheap: SolutionVerdict
    strong: SolutionVerdict


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a cascade would have found in a solution, and what it would have cost."""

    first_error: int | None
    cheap: Usage
    strong: Usage
    steps: int  # judged, by either
    asked: int  # of them, by the strong judge


def outcome(pair: JudgedTwice, band: Band) -> Outcome:
    """Apply the cascade to stored verdicts, up to the first step that it calls wrong.

    If a judge stopped before that step, its verdict there is unknown and has no label.
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

    A band that contains every reward always asks the strong judge, so there is always a result.
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


class Cascade(StepJudge):
    """Asks `strong` only where `cheap` is unsure.

    Each judge keeps its own history. For a step that the cheap judge decided, the strong judge's
    history takes over that turn if both judge in the same mode; otherwise its turn stays empty.
    The settings are the strong judge's.
    """

    def __init__(self, cheap: StepJudge, strong: StepJudge, band: Band) -> None:
        self.cheap = cheap
        self.strong = strong
        self.band = band
        self.settings = strong.settings
        self.clock = strong.clock

    @property
    def spec(self) -> JudgeSpec:
        """Both judges, and the band."""
        parts = (self.cheap.spec, self.strong.spec)
        return JudgeSpec(judge="cascade", settings=json_object(self.band), parts=parts)

    def using(self, settings: Settings) -> "Cascade":
        """The strong judge under other settings; the cheap one keeps its mode and votes."""
        own = self.cheap.settings
        cheap = replace(settings, mode=own.mode, votes=own.votes, adaptive=own.adaptive)
        return Cascade(self.cheap.using(cheap), self.strong.using(settings), self.band)

    def begin(self) -> StepHistory:
        """Both judges' histories."""
        return _CascadeHistory(self, self.cheap.begin(), self.strong.begin())


class _CascadeHistory(StepHistory):
    def __init__(self, cascade: Cascade, cheap: StepHistory, strong: StepHistory) -> None:
        self._cascade = cascade
        self._cheap = cheap
        self._strong = strong

    async def judge_next(self, solution: Solution, *, row: int = 0) -> StepVerdict:
        """Judge the next step; a verdict of the strong judge holds the one that it replaced."""
        first = await self._cheap.judge_next(solution, row=row)
        if not self._cascade.band.unsure(first.reward):
            await self._strong.follow(first if self._same_form() else None)
            return first
        second = await self._strong.judge_next(solution, row=row)
        return replace(second, screening=first)

    async def follow(self, verdict: StepVerdict | None) -> None:
        await self._cheap.follow(verdict if self._same_form() else None)
        await self._strong.follow(verdict)

    async def copy(self) -> StepHistory:
        return _CascadeHistory(self._cascade, await self._cheap.copy(), await self._strong.copy())

    async def close(self) -> None:
        await self._cheap.close()
        await self._strong.close()

    def _same_form(self) -> bool:
        return self._cascade.cheap.settings.mode is self._cascade.strong.settings.mode
