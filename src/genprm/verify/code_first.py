"""Code judges first; a model is asked only about text like its own training text.

If code refutes a step, no model is asked. Otherwise the model judges if the problem and the steps
so far are similar to its training text. If it is not asked, or all its votes abstain, the verdict
of the code stands, with a flag if code had nothing to check.
"""

from dataclasses import replace
from hashlib import sha256

from genprm.problem import Solution
from genprm.records.record import json_object
from genprm.records.run_spec import JudgeSpec
from genprm.verdict import StepVerdict
from genprm.verify.domain import NEAR, Domain
from genprm.verify.judge import StepHistory, StepJudge
from genprm.verify.settings import Settings


class CodeFirst(StepJudge):
    """A judge by code, and a model's judge for its own domain. The settings are the model's."""

    def __init__(self, code: StepJudge, model: StepJudge, domain: Domain) -> None:
        self.code = code
        self.model = model
        self.domain = domain
        self.settings = model.settings
        self.clock = model.clock

    @property
    def spec(self) -> JudgeSpec:
        """Both judges, and the domain."""
        pairs = sha256("\n".join(map("\t".join, sorted(self.domain.pairs))).encode()).hexdigest()
        settings = json_object({"domain": pairs, "near": NEAR})
        return JudgeSpec(
            judge="code-first", settings=settings, parts=(self.code.spec, self.model.spec)
        )

    def using(self, settings: Settings) -> "CodeFirst":
        """Both judges under other settings."""
        return CodeFirst(self.code.using(settings), self.model.using(settings), self.domain)

    def begin(self) -> StepHistory:
        """Both judges' histories."""
        return _Both(self.domain, self.code.begin(), self.model.begin(), 0)


class _Both(StepHistory):
    def __init__(self, domain: Domain, code: StepHistory, model: StepHistory, judged: int) -> None:
        self._domain = domain
        self._code = code
        self._model = model
        self._judged = judged

    async def judge_next(self, solution: Solution, *, row: int = 0) -> StepVerdict:
        """Judge the next step; if both judged it, `screening` holds the replaced verdict."""
        first = await self._code.judge_next(solution, row=row)
        self._judged += 1
        seen = (solution.problem, *solution.steps[: self._judged])
        if first.label is False or not self._domain.covers(seen):
            await self._model.follow(None)
            return first
        second = await self._model.judge_next(solution, row=row)
        if second.reward is None:
            return replace(first, screening=second)
        return replace(second, screening=first)

    async def follow(self, verdict: StepVerdict | None) -> None:
        self._judged += 1
        await self._code.follow(verdict)
        await self._model.follow(verdict)

    async def copy(self) -> StepHistory:
        return _Both(self._domain, await self._code.copy(), await self._model.copy(), self._judged)

    async def close(self) -> None:
        await self._code.close()
        await self._model.close()
