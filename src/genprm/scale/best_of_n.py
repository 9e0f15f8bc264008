"""Best-of-N, majority and weighted majority over one pool of samples (genprm rank).

Solutions with the same steps are judged once. `judge_best_first` finds the winner of Best-of-N
with the fewest judged steps: it always judges on where the score could still become highest, and
stops when the solution in front is finished, so candidates that can no longer win are abandoned.
The winner, ties included, is the one that judging everything would give.
"""

from collections import defaultdict
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass
from enum import StrEnum
from heapq import heappop, heappush
from math import fsum

from genprm.concurrency import together
from genprm.policy import Sample
from genprm.scale.cost import Cost
from genprm.scale.pool import Pool, final_answer, to_solution
from genprm.verdict import SolutionVerdict, StepVerdict, total
from genprm.verify.aggregate import Aggregate
from genprm.verify.verifier import Verifier

CANDIDATES = 1 << 16  # rows of a run lie this far apart in the verifier's seeds


class Method(StrEnum):
    """How one answer is chosen from a pool."""

    BEST_OF_N = "best-of-n"  # the best-scored solution
    MAJORITY = "majority"  # the most frequent answer
    WEIGHTED = "weighted-majority"  # the answer whose solutions' scores sum highest


@dataclass(frozen=True, slots=True)
class Candidate:
    """One sample of a pool with what is known of it."""

    sample: Sample
    steps: tuple[StepVerdict, ...] = ()  # fewer than the sample has where it was abandoned
    same_as: int | None = None  # the earlier candidate with the same steps, judged for both

    @property
    def answer(self) -> str | None:
        """Its final answer, where it gives one."""
        return final_answer(self.sample)

    def score(self, aggregate: Aggregate) -> float | None:
        """The solution's score; None where steps were not judged or have no reward."""
        if len(self.steps) < len(self.sample.steps):
            return None
        return aggregate.score([step.reward for step in self.steps])


async def judge_all(verifier: Verifier, pool: Pool, *, row: int) -> list[Candidate]:
    """Judge every different solution of the pool, all at once.

    Raises:
        ModelError, SandboxError: as the verifier's.
    """
    twins = _twins(pool.samples)
    verdicts: list[SolutionVerdict] = await together(
        verifier.verify(to_solution(pool.samples[index]), row=row * CANDIDATES + index)
        for index in _judged(pool.samples, twins)
    )
    steps = dict(
        zip(_judged(pool.samples, twins), (verdict.steps for verdict in verdicts), strict=True)
    )
    return _candidates(pool.samples, twins, steps)


async def judge_best_first(
    verifier: Verifier, pool: Pool, aggregate: Aggregate, *, row: int
) -> list[Candidate]:
    """Judge only what decides which solution scores best.

    Raises:
        ModelError, SandboxError: as the verifier's.
    """
    twins = _twins(pool.samples)
    steps: dict[int, tuple[StepVerdict, ...]] = {}
    async with AsyncExitStack() as stack:
        judging: dict[int, AsyncGenerator[StepVerdict, None]] = {}
        front: list[tuple[float, int]] = []  # (-highest score still possible, candidate)
        for index in _judged(pool.samples, twins):
            verdicts = verifier.verify_steps(
                to_solution(pool.samples[index]), row=row * CANDIDATES + index
            )
            judging[index] = await stack.enter_async_context(aclosing(verdicts))
            steps[index] = ()
            heappush(front, (-1.0, index))
        while front:
            _, index = heappop(front)
            left = len(pool.samples[index].steps) - len(steps[index])
            if left == 0:
                break
            steps[index] += (await anext(judging[index]),)
            bound = aggregate.bound([step.reward for step in steps[index]], left - 1)
            if bound is not None:
                heappush(front, (-bound, index))
    return _candidates(pool.samples, twins, steps)


def choose(
    method: Method, groups: Sequence[int | None], scores: Sequence[float | None]
) -> int | None:
    """Index of the chosen candidate; None where nothing can be chosen.

    Args:
        groups: of equal answers, by candidate; None votes for nothing.
        scores: by candidate; None is passed over.
    """
    match method:
        case Method.BEST_OF_N:
            return best(scores)
        case Method.MAJORITY:
            return _heaviest(groups, [1.0] * len(groups))
        case Method.WEIGHTED:
            return _heaviest(groups, [score or 0.0 for score in scores])


def best(scores: Sequence[float | None]) -> int | None:
    """The first of the highest scores; None where there is no score."""
    known = [(-score, index) for index, score in enumerate(scores) if score is not None]
    return min(known)[1] if known else None


def cost(candidates: Sequence[Candidate]) -> Cost:
    """Samples as drawn, judgements as made."""
    return Cost(
        policy=total(candidate.sample.usage for candidate in candidates),
        verifier=total(
            step.usage
            for candidate in candidates
            if candidate.same_as is None
            for step in candidate.steps
        ),
    )


def _heaviest(groups: Sequence[int | None], weights: Sequence[float]) -> int | None:
    """The first candidate of the group that weighs most; the earliest group of equals."""
    weight: dict[int, list[float]] = defaultdict(list)
    for group, value in zip(groups, weights, strict=True):
        if group is not None:
            weight[group].append(value)
    return min(weight, key=lambda group: (-fsum(weight[group]), group)) if weight else None


def _twins(samples: Sequence[Sample]) -> list[int]:
    """For each sample, the first with the same steps."""
    firsts: dict[tuple[str, ...], int] = {}
    return [firsts.setdefault(sample.steps, index) for index, sample in enumerate(samples)]


def _judged(samples: Sequence[Sample], twins: Sequence[int]) -> list[int]:
    return [index for index, twin in enumerate(twins) if index == twin and samples[index].steps]


def _candidates(
    samples: Sequence[Sample], twins: Sequence[int], steps: dict[int, tuple[StepVerdict, ...]]
) -> list[Candidate]:
    return [
        Candidate(sample, steps.get(twin, ()), None if twin == index else twin)
        for index, (sample, twin) in enumerate(zip(samples, twins, strict=True))
    ]
