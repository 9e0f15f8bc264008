"""The protocol of judges of steps: the verifier, a cascade, or a verifier behind a service.

A judge provides a history for each solution, and judging the next step adds to that history.
Judging whole solutions, one or many, is built on this here.
"""

import time
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import aclosing
from dataclasses import replace
from itertools import starmap
from typing import Self, TypeAlias

from genprm.concurrency import as_finished
from genprm.problem import Solution
from genprm.records.run_spec import JudgeSpec
from genprm.verdict import SolutionVerdict, StepVerdict, total
from genprm.verify.settings import Settings

OnStep: TypeAlias = Callable[[int, StepVerdict], None]
Clock: TypeAlias = Callable[[], float]


class StepHistory(ABC):
    """The steps of one solution as a judge has seen them so far. Judging a step adds to it.

    Copies are independent: each node of a search tree continues a copy of its parent's history.
    """

    @abstractmethod
    async def judge_next(self, solution: Solution, *, row: int = 0) -> StepVerdict:
        """Judge the first step of `solution` that this history does not hold yet.

        Code that builds a solution step by step (a search, a cascade) judges it as it grows. Seeds
        are derived from (seed, row, step, vote).

        Raises:
            ModelError, SandboxError: the engine or the sandbox failed for good.
        """

    @abstractmethod
    async def follow(self, verdict: StepVerdict | None) -> None:
        """Add a step that another judge has judged, without judging it.

        `verdict` holds turns in this judge's own format. If it is None, the step's turn stays
        empty.
        """

    @abstractmethod
    async def copy(self) -> "StepHistory":
        """The same steps, independent of this history from now on."""

    @abstractmethod
    async def close(self) -> None:
        """Release what the history holds. Idempotent."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


class StepJudge(ABC):
    """Judges the steps of solutions under `settings`."""

    settings: Settings
    clock: Clock = time.perf_counter

    @property
    @abstractmethod
    def spec(self) -> JudgeSpec:
        """Everything that decides the verdicts, for a run's spec."""

    @abstractmethod
    def using(self, settings: Settings) -> "StepJudge":
        """The same judge under other settings."""

    @abstractmethod
    def begin(self) -> StepHistory:
        """A history for a solution of which nothing has been judged yet."""

    async def verify(
        self, solution: Solution, *, row: int = 0, on_step: OnStep | None = None
    ) -> SolutionVerdict:
        """Judge one solution. Its seeds are derived from `row`, its place in a run.

        `on_step(row, verdict)` is called for each step as soon as it is judged.

        Raises:
            ModelError, SandboxError: the engine or the sandbox failed for good.
        """
        start = self.clock()
        steps: list[StepVerdict] = []
        async for step in self.verify_steps(solution, row=row):
            steps.append(step)
            if on_step is not None:
                on_step(row, step)
        spent = total(step.usage for step in steps)
        return SolutionVerdict(
            solution.id, tuple(steps), replace(spent, seconds=self.clock() - start)
        )

    async def verify_many(
        self,
        solutions: Iterable[tuple[int, Solution]],
        *,
        concurrency: int = 16,
        on_step: OnStep | None = None,
    ) -> AsyncGenerator[tuple[int, SolutionVerdict], None]:
        """Judge many (row, solution) pairs, `concurrency` at a time; yield each as it finishes."""

        async def judge(row: int, solution: Solution) -> tuple[int, SolutionVerdict]:
            return row, await self.verify(solution, row=row, on_step=on_step)

        async with aclosing(as_finished(starmap(judge, solutions), concurrency)) as verdicts:
            async for pair in verdicts:
                yield pair

    async def verify_steps(
        self, solution: Solution, *, row: int = 0
    ) -> AsyncGenerator[StepVerdict, None]:
        """Yield the verdict on each step of a solution as soon as it is judged."""
        async with self.begin() as history:
            for _ in solution.steps:
                verdict = await history.judge_next(solution, row=row)
                yield verdict
                if verdict.label is False and self.settings.stop_at_first_error:
                    return
