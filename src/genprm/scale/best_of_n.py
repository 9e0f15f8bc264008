"""Best-of-N, majority and weighted majority over one pool of samples (genprm rank).

Steps that follow the same steps are judged once. `judge_best_first` finds the winner of Best-of-N
with the fewest judged steps: it always continues with the candidate whose score could become
highest, and stops when the leading solution is finished, so candidates that can no longer win are
abandoned. The winner, ties included, is the same as if everything had been judged.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from heapq import heappop, heappush
from math import fsum
from typing import Protocol, runtime_checkable

from genprm.policy import Sample
from genprm.pools import Pool
from genprm.records.pools import Cost
from genprm.scale.methods import Method
from genprm.scale.pool import final_answer
from genprm.scale.prefixes import Prefixes
from genprm.verdict import StepVerdict, total
from genprm.verify.aggregate import Aggregate
from genprm.verify.judge import StepJudge


@dataclass(frozen=True, slots=True)
class Candidate:
    """One sample of a pool, and what is known about it."""

    sample: Sample
    steps: tuple[StepVerdict, ...] = ()  # fewer than the sample has where it was abandoned

    @property
    def answer(self) -> str | None:
        """The final answer, if it states one."""
        return final_answer(self.sample)

    def score(self, aggregate: Aggregate) -> float | None:
        """The solution's score; None if it was cut off, not judged, or has no reward."""
        if not self.sample.complete or len(self.steps) < len(self.sample.steps):
            return None
        return aggregate.score([step.reward for step in self.steps])


@runtime_checkable
class PoolJudge(Protocol):
    """A remote judge, which receives a whole pool at once."""

    async def judge_pool(
        self, problem: str, samples: Sequence[Sequence[str]], *, row: int
    ) -> Sequence[tuple[StepVerdict, ...]]:
        """The verdicts that `judge_all` gives, by sample; () for one without steps."""
        ...


async def judge_all(judge: StepJudge, pool: Pool, *, row: int) -> list[Candidate]:
    """Judge every different step of the pool; steps that do not follow each other run concurrently.

    Raises:
        ModelError, SandboxError: as the verifier's.
    """
    if isinstance(judge, PoolJudge):
        asked = [sample.steps if sample.complete else () for sample in pool.samples]
        if not any(asked):
            return list(map(Candidate, pool.samples))
        found = await judge.judge_pool(pool.problem.text, asked, row=row)
        return list(map(Candidate, pool.samples, found))
    prefixes = Prefixes(judge, pool.samples, row=row)
    await prefixes.judge_all()
    return [Candidate(sample, prefixes.steps(sample)) for sample in pool.samples]


async def judge_best_first(
    judge: StepJudge, pool: Pool, aggregate: Aggregate, *, row: int
) -> list[Candidate]:
    """Judge only what decides which solution scores best.

    Raises:
        ModelError, SandboxError: as the verifier's.
    """
    async with Prefixes(judge, pool.samples, row=row) as prefixes:
        # (-highest score still possible, candidate, its steps judged)
        front = [
            (-1.0, index, 0)
            for index, sample in enumerate(pool.samples)
            if sample.steps and sample.complete
        ]
        while front:
            _, index, judged = heappop(front)
            steps = pool.samples[index].steps
            if judged == len(steps):
                break
            await prefixes.judge(steps[: judged + 1])
            rewards = [prefixes.verdicts[steps[: end + 1]].reward for end in range(judged + 1)]
            bound = aggregate.bound(rewards, len(steps) - judged - 1)
            if bound is not None:
                heappush(front, (-bound, index, judged + 1))
    return [Candidate(sample, prefixes.steps(sample)) for sample in pool.samples]


def choose(
    method: Method, groups: Sequence[int | None], scores: Sequence[float | None]
) -> int | None:
    """Index of the chosen candidate; None if nothing can be chosen.

    Args:
        groups: groups of equal answers, by candidate; None has no vote.
        scores: scores by candidate; candidates with None cannot be chosen by score.
    """
    match method:
        case Method.BEST_OF_N:
            return best(scores)
        case Method.MAJORITY:
            return _heaviest(groups, [1.0] * len(groups))
        case Method.WEIGHTED:
            return _heaviest(groups, [score or 0.0 for score in scores])


def best(scores: Sequence[float | None]) -> int | None:
    """The index of the highest score, the first among equals; None if there is no score."""
    known = [(-score, index) for index, score in enumerate(scores) if score is not None]
    return min(known)[1] if known else None


def cost(candidates: Sequence[Candidate]) -> Cost:
    """The cost of all samples, and of every different judgement once."""
    judged = {
        candidate.sample.steps[: end + 1]: step.usage
        for candidate in candidates
        for end, step in enumerate(candidate.steps)
    }
    return Cost(
        policy=total(candidate.sample.usage for candidate in candidates),
        verifier=total(judged.values()),
    )


def _heaviest(groups: Sequence[int | None], weights: Sequence[float]) -> int | None:
    """The first candidate of the group with the largest weight; the earliest group among equals."""
    weight: dict[int, list[float]] = defaultdict(list)
    for group, value in zip(groups, weights, strict=True):
        if group is not None:
            weight[group].append(value)
    return min(weight, key=lambda group: (-fsum(weight[group]), group)) if weight else None
