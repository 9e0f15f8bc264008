"""Who judges completions for a trainer: a verifier in this process, or the HTTP service.

Either judges a batch at once, each completion under its own time-out. A completion that gets no
verdict is not punished or praised in silence: its `cause` says why, and `scoring` gives it the
value that the caller stated for abstentions.
"""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any, Protocol

import httpx

from genprm.concurrency import as_finished
from genprm.errors import ModelError
from genprm.problem import Solution
from genprm.verify.settings import Settings
from genprm.verify.verifier import Verifier


@dataclass(frozen=True, slots=True)
class Judged:
    """One completion: its step rewards [steps], None where a step's votes all abstained.

    `first_error` is -1 for a solution without a wrong step, and None where it cannot be said.
    """

    rewards: tuple[float | None, ...] = ()
    first_error: int | None = None
    cause: str | None = None  # why there is no verdict


class Judge(Protocol):
    """Judges batches of solutions. Used from one event loop."""

    async def judge(self, solutions: Sequence[Solution]) -> list[Judged]:
        """One result for each solution, in order.

        Raises:
            ModelError, SandboxError: judging failed for good, for the whole batch.
        """
        ...

    async def close(self) -> None:
        """Release what the judge holds. Idempotent."""
        ...


class InProcess:
    """A verifier on the model of this name, opened when first asked.

    Args:
        model: as `--model`.
        settings: how a step is judged.
        timeout: seconds for one completion.
        concurrency: completions judged at the same time.
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
        self._verifier: Verifier | None = None
        self._opening = asyncio.Lock()

    @classmethod
    def on(
        cls, verifier: Verifier, *, timeout: float = 120.0, concurrency: int = 16
    ) -> "InProcess":
        """On a verifier that the caller opens and closes, in the same event loop."""
        judge = cls(settings=verifier.settings, timeout=timeout, concurrency=concurrency)
        judge._verifier = verifier
        return judge

    async def judge(self, solutions: Sequence[Solution]) -> list[Judged]:
        """As `Judge.judge`."""
        verifier = await self._open()

        async def judged(row: int, solution: Solution) -> tuple[int, Judged]:
            try:
                async with asyncio.timeout(self.timeout):
                    verdict = await verifier.verify(solution, row=row)
            except TimeoutError:
                return row, Judged(cause=f"not judged within {self.timeout:g} s")
            rewards = tuple(step.reward for step in verdict.steps)
            return row, Judged(rewards, verdict.first_error)

        jobs = (judged(row, solution) for row, solution in enumerate(solutions))
        results = dict([pair async for pair in as_finished(jobs, self.concurrency)])
        return [results[row] for row in range(len(solutions))]

    async def close(self) -> None:
        """As `Judge.close`."""
        await self._stack.aclose()
        self._verifier = None

    async def _open(self) -> Verifier:
        async with self._opening:
            if self._verifier is None:
                from genprm.models.load import load_model
                from genprm.sandboxes.fork_server import ForkServer

                model = await asyncio.to_thread(load_model, self.model)
                self._stack.push_async_callback(model.close)
                sandbox = await self._stack.enter_async_context(ForkServer())
                self._verifier = Verifier(model, sandbox, self.settings)
        return self._verifier


class Service:
    """A running `genprm serve`.

    Args:
        url: such as http://127.0.0.1:8321.
        timeout: seconds for one request.
        batch: completions in one request.
        concurrency: requests at the same time.
        retries: of a request that found the queue full or the service not there yet.
        options: sent with every request: votes, mode, adaptive, stop_at_first_error, seed.
    """

    def __init__(
        self,
        url: str,
        *,
        timeout: float = 120.0,
        batch: int = 8,
        concurrency: int = 8,
        retries: int = 4,
        **options: Any,
    ) -> None:
        self.url = url.rstrip("/")
        self.timeout = timeout
        self.batch = batch
        self.concurrency = concurrency
        self.retries = retries
        self.options = options
        self._client = httpx.AsyncClient(timeout=timeout)

    async def judge(self, solutions: Sequence[Solution]) -> list[Judged]:
        """As `Judge.judge`."""
        starts = range(0, len(solutions), self.batch)

        async def judged(start: int) -> tuple[int, list[Judged]]:
            return start, await self._request(solutions[start : start + self.batch])

        parts = dict([part async for part in as_finished(map(judged, starts), self.concurrency)])
        return [one for start in starts for one in parts[start]]

    async def close(self) -> None:
        """As `Judge.close`."""
        await self._client.aclose()

    async def _request(self, solutions: Sequence[Solution]) -> list[Judged]:
        body = {
            **self.options,
            "solutions": [{"problem": s.problem, "steps": list(s.steps)} for s in solutions],
        }
        for attempt in range(self.retries + 1):
            try:
                reply = await self._client.post(f"{self.url}/v1/verify", json=body)
            except httpx.TimeoutException:
                cause = f"{self.url} did not answer within {self.timeout:g} s"
                return [Judged(cause=cause)] * len(solutions)
            except httpx.TransportError as error:
                cause = f"{self.url} cannot be reached: {error}"
            else:
                if reply.status_code == httpx.codes.OK:
                    return [_judged(row) for row in reply.json()["verdicts"]]
                cause = f"{self.url} answered {reply.status_code}: {_said(reply)}"
                if reply.status_code not in (429, 503):
                    break
            await asyncio.sleep(0.5 * 2**attempt)
        raise ModelError(cause)


def _judged(row: dict[str, Any]) -> Judged:
    return Judged(tuple(step["reward"] for step in row["steps"]), row["first_error"])


def _said(reply: httpx.Response) -> str:
    try:
        error = reply.json()["error"]
        return f"field {error['field']}: {error['message']}; fix: {error['fix']}"
    except (ValueError, KeyError, TypeError):
        return reply.text[:200]
