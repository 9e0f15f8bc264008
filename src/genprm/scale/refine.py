"""Critic: the analysis of the first wrong step goes back to the policy, which answers again.

A turn's answer never replaces a better one: the answer with the best verifier score so far is kept,
and the next turn rewrites it (`Keep.BEST`). The paper's plain variant continues with the latest
answer (`Keep.LATEST`). Judging an answer stops at its first wrong step, and the dialogue ends with
the first answer without one.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from genprm.model import Message
from genprm.policy import Policy, Sample
from genprm.problem import Problem
from genprm.records.pools import Cost
from genprm.records.refinements import best_turn
from genprm.scale.budget import Budget, total
from genprm.scale.methods import Critic, Keep, Rewrite
from genprm.scale.pool import sample_seed, to_solution
from genprm.scale.prefixes import CANDIDATES
from genprm.verdict import SolutionVerdict
from genprm.verify.aggregate import Aggregate
from genprm.verify.format import without_tags
from genprm.verify.judge import StepJudge
from genprm.verify.voting import representative

HAND_BACK = "A reviewer found an error in step {step}: {analysis}\n\nWrite the solution again."
CUT_OFF = "The solution was cut off before its answer. Write a shorter one."
SELF_REVIEW = "Review the solution step by step, correct any error, and write it again."


class RefinementEnd(StrEnum):
    """Why a refinement ended."""

    VERIFIED = "verified"  # no wrong step
    TURNS = "turns"
    UNJUDGED = "unjudged"  # no step was judged wrong, and one has no label: nothing to hand back
    BUDGET = "budget"


@dataclass(frozen=True, slots=True)
class RefineSettings:
    """Everything that decides a refinement, apart from the models."""

    turns: int = 3
    keep: Keep = Keep.BEST
    critic: Critic = Critic.VERIFIER
    rewrite: Rewrite = Rewrite.WHOLE
    score: Aggregate = Aggregate.MIN
    seed: int = 0
    budget: Budget = field(default_factory=Budget)


@dataclass(frozen=True, slots=True)
class RefinementTurn:
    """One answer: the request that led to it, and the verifier's verdict on it.

    With `Critic.SELF`, or if the answer was cut off, there is no verdict and no score.
    """

    request: str | None  # None for the first answer
    sample: Sample
    verdict: SolutionVerdict | None = None
    score: float | None = None

    @property
    def cost(self) -> Cost:
        """The cost of the answer and its verdict."""
        judged = Cost(verifier=self.verdict.usage) if self.verdict else Cost()
        return Cost(policy=self.sample.usage) + judged


@dataclass(frozen=True, slots=True)
class Refinement:
    """The whole dialogue. `chosen` is the index of the turn whose answer is the final one."""

    turns: tuple[RefinementTurn, ...]
    chosen: int
    ended: RefinementEnd

    @property
    def cost(self) -> Cost:
        """The cost of all turns."""
        return total(turn.cost for turn in self.turns)


class Refiner:
    """Runs the dialogues of one policy and one verifier, which stops at the first error."""

    def __init__(self, policy: Policy, judge: StepJudge, settings: RefineSettings) -> None:
        self.policy = policy
        self.judge = judge
        self.settings = settings

    async def refine(
        self, problem: Problem, *, row: int = 0, first: Sample | None = None
    ) -> Refinement:
        """Answer a problem in up to `turns` turns after the first answer (drawn if not given).

        Raises:
            ModelError, SandboxError: as the policy's and the verifier's.
        """
        settings = self.settings
        seed = sample_seed(settings.seed, row, 0)
        first = first or await self.policy.solve(problem.text, seed=seed)
        turns = [await self._judge(None, first, row, 0)]
        while (ended := self._ended(turns)) is None:
            current = turns[self._current(turns)]
            request = self._request(current)
            seed = sample_seed(settings.seed, row, 0, len(turns))
            sample = await self._rewrite(problem, current, request, seed)
            turns.append(await self._judge(request, sample, row, len(turns)))
        return Refinement(tuple(turns), self._current(turns), ended)

    async def _judge(
        self, request: str | None, sample: Sample, row: int, turn: int
    ) -> RefinementTurn:
        unfinished = not sample.complete or not sample.steps
        if unfinished or self.settings.critic is Critic.SELF:
            return RefinementTurn(request, sample)
        verdict = await self.judge.verify(to_solution(sample), row=row * CANDIDATES + turn)
        score = self.settings.score.score([step.reward for step in verdict.steps])
        return RefinementTurn(request, sample, verdict, score)

    async def _rewrite(
        self, problem: Problem, current: RefinementTurn, request: str, seed: int
    ) -> Sample:
        right = _judged_right(current)
        if self.settings.rewrite is Rewrite.FROM_ERROR:
            return await self.policy.solve(
                problem.text, steps=current.sample.steps[:right], seed=seed
            )
        dialogue: list[Message] = [
            {"role": "assistant", "content": current.sample.text},
            {"role": "user", "content": request},
        ]
        return await self.policy.solve(problem.text, dialogue=dialogue, seed=seed)

    def _ended(self, turns: Sequence[RefinementTurn]) -> RefinementEnd | None:
        if self.settings.critic is Critic.VERIFIER:
            verdict = turns[self._current(turns)].verdict
            if verdict and verdict.first_error == -1:
                return RefinementEnd.VERIFIED
            if verdict and not any(step.label is False for step in verdict.steps):
                return RefinementEnd.UNJUDGED
        if len(turns) > self.settings.turns:
            return RefinementEnd.TURNS
        spent = total(turn.cost for turn in turns)
        return RefinementEnd.BUDGET if self.settings.budget.exhausted(spent) else None

    def _current(self, turns: Sequence[RefinementTurn]) -> int:
        if self.settings.keep is Keep.LATEST or self.settings.critic is Critic.SELF:
            return len(turns) - 1
        firsts = (turn.verdict.first_error if turn.verdict else None for turn in turns)
        return best_turn(list(zip(firsts, (turn.score for turn in turns), strict=True)))

    def _request(self, turn: RefinementTurn) -> str:
        if turn.verdict is None:
            return SELF_REVIEW if turn.sample.complete else CUT_OFF
        step = _judged_right(turn)
        return HAND_BACK.format(step=step + 1, analysis=critique(turn.verdict, step))


def critique(verdict: SolutionVerdict, step: int) -> str:
    """What was found wrong with a step: the analysis or, without one, the output of its code."""
    kept = representative(verdict.steps[step])
    if kept is None:
        return "it could not be verified."
    vote = verdict.steps[step].votes[kept]
    runs = "\n".join(f"{run.code}\n-> {run.output}" for run in vote.runs)
    return without_tags(vote.analysis) or runs or "it was judged wrong."


def _judged_right(turn: RefinementTurn) -> int:
    """The number of steps before the first one that was judged wrong."""
    if turn.verdict is None:
        return 0
    labels = [step.label for step in turn.verdict.steps]
    return labels.index(False) if False in labels else 0
