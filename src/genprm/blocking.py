"""The library in one blocking call, for scripts and notebooks."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from genprm.compose import DEFAULT, JudgeChoice, ModelChoice, open_judge
from genprm.problem import Solution, split_steps
from genprm.verdict import SolutionVerdict
from genprm.verify.settings import Settings


def judge(
    problem: str,
    solution: str | Sequence[str],
    *,
    model: str = DEFAULT,
    settings: Settings = Settings(),
) -> SolutionVerdict:
    """Judge one solution, a text or its steps, and wait for the verdict.

    Every call loads the model and starts a sandbox; for more than a few solutions use `Verifier`.
    It also works where an event loop is already running, as in a notebook.

    Raises:
        InputError: there is no such model.
        ModelError, SandboxError: the engine or the sandbox failed.
    """
    steps = split_steps(solution) if isinstance(solution, str) else tuple(solution)
    with ThreadPoolExecutor(max_workers=1) as thread:
        job = _judge(Solution(problem, steps), model, settings)
        return thread.submit(asyncio.run, job).result()


async def _judge(solution: Solution, name: str, settings: Settings) -> SolutionVerdict:
    async with open_judge(JudgeChoice(ModelChoice(name)), settings) as judge:
        return await judge.verify(solution)
