"""A judge without a model: it settles by code what code can settle, and says what it settled.

A step is wrong (reward 0) if it has a false equation, a false conversion, an equation that the
unknowns do not satisfy, or an operation that the problem's expression does not allow. All checks
run in the sandbox and are part of the vote, as in a vote of GenPRM. Even if everything printed is
true, the step may not be what the problem calls for, so its reward is not 1 but a fixed value
below 1, which was not measured.
"""

import time
from collections.abc import Sequence

from genprm.calculator.equations import Claim, equations
from genprm.calculator.expressions import Expression
from genprm.calculator.units import conversions
from genprm.calculator.unknowns import Unknowns
from genprm.problem import Solution
from genprm.records.record import json_object
from genprm.records.run_spec import JudgeSpec
from genprm.sandbox import RunStatus, SandboxBackend
from genprm.verdict import Flag, Run, StepVerdict, Usage, Vote
from genprm.verify import format as wire
from genprm.verify.judge import Clock, StepHistory, StepJudge
from genprm.verify.settings import Settings

ALL_HOLD = 0.85  # reward of a step all of whose checked claims are true
NOTHING_CHECKED = 0.75  # reward of a step in which code found nothing to check
MAX_CLAIMS = 20  # checked in one step


class CodeJudge(StepJudge):
    """Judges by code alone, with one vote on each step, because a second one would be the same."""

    def __init__(
        self,
        sandbox: SandboxBackend,
        settings: Settings = Settings(),
        *,
        clock: Clock = time.perf_counter,
    ) -> None:
        self.sandbox = sandbox
        self.settings = settings
        self.clock = clock

    @property
    def spec(self) -> JudgeSpec:
        """The spec, with the fixed rewards for steps that could not be refuted."""
        rewards = {"all_hold": ALL_HOLD, "nothing_checked": NOTHING_CHECKED}
        return JudgeSpec(judge="code", settings=json_object(rewards))

    def using(self, settings: Settings) -> "CodeJudge":
        """The same judge; of the settings it uses only the time-out."""
        return CodeJudge(self.sandbox, settings, clock=self.clock)

    def begin(self) -> "CodeHistory":
        """A history without judged steps."""
        return CodeHistory(self, 0)

    async def vote(self, step: int, claims: Sequence[Claim]) -> Vote:
        """Run the code of the claims and report the outcome."""
        start = self.clock()
        runs = (await self._run(_program(claims)),) if claims else ()
        reward, analysis, flags = _judged(claims, runs)
        usage = Usage(executions=len(runs), seconds=self.clock() - start)
        text = _turn(step, analysis, runs, reward)
        return Vote(reward, text, analysis, runs, flags, usage)

    async def _run(self, code: str) -> Run:
        session = self.sandbox.session()
        try:
            result = await session.run(code, self.settings.code_timeout)
        finally:
            await session.close()
        return Run(code, result.text, result.status.value)


class CodeHistory(StepHistory):
    """The number of judged steps; what they state is read from the solution again."""

    def __init__(self, judge: CodeJudge, judged: int) -> None:
        self._judge = judge
        self._judged = judged
        self._read: tuple[Unknowns, Expression, int] | None = None  # and how many steps they know

    async def judge_next(self, solution: Solution, *, row: int = 0) -> StepVerdict:
        """Check the claims of the next step, given what the problem and earlier steps determine."""
        unknowns, expression, known = self._read or (
            Unknowns(solution.problem),
            Expression(solution.problem),
            0,
        )
        for earlier in solution.steps[known : self._judged]:
            unknowns.check(earlier)
            expression.check(earlier)
        step = solution.steps[self._judged]
        claims = [
            *equations(step),
            *conversions(step),
            *unknowns.check(step),
            *expression.check(step),
        ]
        self._judged += 1
        self._read = unknowns, expression, self._judged
        return StepVerdict((await self._judge.vote(self._judged, claims[:MAX_CLAIMS]),), 1)

    async def follow(self, verdict: StepVerdict | None) -> None:
        """Count the step as judged."""
        self._judged += 1

    async def copy(self) -> "CodeHistory":
        """An independent history with as many judged steps."""
        return CodeHistory(self._judge, self._judged)

    async def close(self) -> None:
        """Nothing to release."""


def _program(claims: Sequence[Claim]) -> str:
    """The code of the claims as one block, with a definition of the one name that it needs."""
    code = "\n".join(claim.code for claim in claims)
    return f"from math import sqrt\n{code}" if "sqrt(" in code else code


def _judged(
    claims: Sequence[Claim], runs: Sequence[Run]
) -> tuple[float | None, str, tuple[Flag, ...]]:
    """Reward, analysis and flags. Execution decides; failed code is no evidence."""
    if not claims:
        said = "Code finds nothing to check in this paragraph; nothing in it is refuted."
        return NOTHING_CHECKED, said, (Flag.UNCHECKED,)
    said = f"This paragraph says {'; '.join(claim.said for claim in claims)}."
    if any(run.status != RunStatus.OK for run in runs):
        return None, said, (Flag.UNREADABLE,)
    if any("False" in run.output.split() for run in runs):
        return 0.0, f"{said} Not all of that is true.", ()
    return (
        ALL_HOLD,
        f"{said} All of that is true; whether the problem calls for it is not said.",
        (),
    )


def _turn(step: int, analysis: str, runs: Sequence[Run], reward: float | None) -> str:
    """The vote as a turn of the wire format."""
    text = f"{wire.analyze_open(step)}{analysis}\n{wire.ANALYZE_CLOSE}"
    for run in runs:
        text += wire.VERIFY_OPEN + run.code + wire.FENCE_CLOSE
        text += wire.code_output(run.output) + wire.VERIFY_CLOSE
    if reward is None:
        return text
    return (
        f"{text}{wire.JUDGEMENT_OPEN}{wire.YES if reward >= 0.5 else wire.NO}{wire.JUDGEMENT_CLOSE}"
    )
