"""Judges of completions for a trainer: a verifier in this process, or the HTTP service.

Both judge a batch at once, each completion with its own time-out. A completion without a verdict is
not silently punished or rewarded: its `cause` says why, and `scoring` gives it the value that the
caller set for abstentions. It is an error only if no completion of a batch can be judged, because
the engine is gone or the request is refused.
"""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Protocol

from genprm.client import AsyncClient
from genprm.compose import JudgeChoice, ModelChoice, open_judge
from genprm.concurrency import as_finished, together
from genprm.dataset import MAX_STEPS
from genprm.errors import GenprmError, ModelError, RequestFailed
from genprm.problem import Solution
from genprm.records.record import replace_surrogates
from genprm.records.service import ScoredSolution
from genprm.records.verdicts import failure
from genprm.verify.judge import StepJudge
from genprm.verify.settings import Settings


@dataclass(frozen=True, slots=True)
class CompletionVerdict:
    """The verdict on one completion: rewards [steps], None if all votes on a step abstained.

    `first_error` is -1 for a solution without a wrong step, and None if it is unknown.
    """

    rewards: tuple[float | None, ...] = ()
    first_error: int | None = None
    cause: str | None = None  # why there is no verdict


class CompletionJudge(Protocol):
    """Judges batches of solutions. Used from one event loop."""

    async def judge(self, solutions: Sequence[Solution]) -> list[CompletionVerdict]:
        """One result for each solution, in order.

        Raises:
            ModelError, SandboxError: no solution could be judged, since the engine or the sandbox
                is gone.
        """
        ...

    async def close(self) -> None:
        """Release what the judge holds. Idempotent."""
        ...


class InProcess:
    """A verifier with the model of this name, which is loaded for the first batch.

    Args:
        model: a name as for `--model`.
        settings: how steps are judged.
        timeout: most seconds for one completion.
        concurrency: how many completions are judged at the same time.
    """

    def __init__(
        self,
        model: str = "arithmetic",
        settings: Settings = Settings(),
        *,
        timeout: float = 120.0,
        concurrency: int = 16,
    ) -> None:
        self.model = model
        self.settings = settings
        self.timeout = timeout
        self.concurrency = concurrency
        self._stack = AsyncExitStack()
        self._judge: StepJudge | None = None
        self._opening = asyncio.Lock()

    @classmethod
    def on(cls, judge: StepJudge, *, timeout: float = 120.0, concurrency: int = 16) -> "InProcess":
        """Use a judge that the caller opens and closes, in the same event loop."""
        made = cls(settings=judge.settings, timeout=timeout, concurrency=concurrency)
        made._judge = judge
        return made

    async def judge(self, solutions: Sequence[Solution]) -> list[CompletionVerdict]:
        """As `CompletionJudge.judge`."""
        judge = await self._open()
        fatal: list[GenprmError] = []

        async def judged(row: int, solution: Solution) -> tuple[int, CompletionVerdict]:
            try:
                async with asyncio.timeout(self.timeout):
                    return row, await _verdict(judge, solution, row)
            except TimeoutError:
                return row, CompletionVerdict(cause=f"not judged within {self.timeout:g} s")
            except RequestFailed as error:
                return row, CompletionVerdict(cause=str(error))
            except GenprmError as error:
                fatal.append(error)
                return row, CompletionVerdict(cause=str(error))
            except Exception as error:  # noqa: BLE001 - a reward never ends a training for one completion
                return row, CompletionVerdict(cause=f"{type(error).__name__}: {error}")

        jobs = (judged(row, solution) for row, solution in enumerate(solutions))
        results = dict([pair async for pair in as_finished(jobs, self.concurrency)])
        if fatal and len(fatal) == len(solutions):
            raise fatal[0]
        return [results[row] for row in range(len(solutions))]

    async def close(self) -> None:
        """As `CompletionJudge.close`."""
        await self._stack.aclose()
        self._judge = None

    def after_fork(self) -> None:
        """Called in a forked process: an engine that was opened before the fork cannot be used."""
        if self._judge is not None:
            raise ModelError(
                "the reward's model was opened before the trainer forked this process; "
                "fix: first use the reward in the forked process, or judge with Service(url)"
            )
        self._opening = asyncio.Lock()

    async def _open(self) -> StepJudge:
        async with self._opening:
            if self._judge is None:
                choice = JudgeChoice(ModelChoice(self.model))
                opening = open_judge(choice, self.settings)
                self._judge = await self._stack.enter_async_context(opening)
        return self._judge


class Service:
    """A running `genprm serve`.

    Args:
        url: such as http://127.0.0.1:8321.
        api_key: the API key, if the service needs one.
        timeout: most seconds for one request; if it takes longer, its completions are sent again
            one by one.
        batch: how many completions are in one request.
        concurrency: how many requests are sent at the same time.
        retries: how often a request is sent again if the queue is full or the service is not ready.
        options: sent with every request: votes, mode, adaptive, stop_at_first_error, seed.
    """

    def __init__(
        self,
        url: str,
        *,
        api_key: str | None = None,
        timeout: float = 120.0,
        batch: int = 8,
        concurrency: int = 8,
        retries: int = 4,
        **options: object,
    ) -> None:
        self.url = url
        self.timeout = timeout
        self.batch = batch
        self.concurrency = concurrency
        self.options = options
        self._api_key = api_key
        self._retries = retries
        self._client = self._connect()

    async def judge(self, solutions: Sequence[Solution]) -> list[CompletionVerdict]:
        """As `CompletionJudge.judge`.

        Raises:
            InputError: the service refuses the options.
        """
        starts = range(0, len(solutions), self.batch)

        async def judged(start: int) -> tuple[int, list[CompletionVerdict]]:
            return start, await self._request(start, solutions[start : start + self.batch])

        parts = dict([part async for part in as_finished(map(judged, starts), self.concurrency)])
        return [one for start in starts for one in parts[start]]

    async def close(self) -> None:
        """As `CompletionJudge.close`."""
        await self._client.close()

    def after_fork(self) -> None:
        """Called in a forked process: the parent's connections cannot be used."""
        self._client = self._connect()

    def _connect(self) -> AsyncClient:
        return AsyncClient(
            self.url, api_key=self._api_key, timeout=self.timeout, retries=self._retries
        )

    async def _request(self, start: int, solutions: Sequence[Solution]) -> list[CompletionVerdict]:
        rows = range(start, start + len(solutions))
        try:
            async with asyncio.timeout(self.timeout):
                found = await self._client.scores(solutions, rows=rows, **self.options)
        except TimeoutError:
            if len(solutions) > 1:  # one slow completion must not cost the others their rewards
                alone = [self._request(start + at, [one]) for at, one in enumerate(solutions)]
                return [judged for part in await together(alone) for judged in part]
            return [CompletionVerdict(cause=f"{self.url} did not answer within {self.timeout:g} s")]
        if len(found) != len(solutions):
            raise ModelError(f"{self.url} answered {len(found)} of {len(solutions)} solutions")
        return list(map(_scored, found))


async def _verdict(judge: StepJudge, solution: Solution, row: int) -> CompletionVerdict:
    if len(solution.steps) > MAX_STEPS:
        return CompletionVerdict(
            cause=f"{len(solution.steps):,} steps; at most {MAX_STEPS:,} are judged"
        )
    readable = Solution(
        replace_surrogates(solution.problem), tuple(map(replace_surrogates, solution.steps))
    )
    verdict = await judge.verify(readable, row=row)
    rewards = tuple(step.reward for step in verdict.steps)
    return CompletionVerdict(rewards, verdict.first_error, failure(verdict))


def _scored(row: ScoredSolution) -> CompletionVerdict:
    return CompletionVerdict(
        row.rewards, row.first_error if row.failed is None else None, row.failed
    )


Judged = CompletionVerdict  # its name in version 0.1, which callers still import
