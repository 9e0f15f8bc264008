"""The work behind every route: solutions through the queue, each failing alone.

The solutions of a request are judged in turn, together with those of other requests, so one engine
batch serves all of them. A request ends when its client goes away, when its time is up, or when the
service ends; then its remaining work is cancelled, down to the engine and the sandbox.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass
from typing import TypeVar

from starlette.requests import Request

from genprm.concurrency import as_finished
from genprm.errors import GenprmError, InputError, RequestFailed, SandboxError
from genprm.problem import Solution
from genprm.server.asked import AskedSolution, Unusable, Usable
from genprm.server.errors import Refusal, refusal_of, shutting_down
from genprm.server.limits import ServiceLimits
from genprm.server.metrics import Metrics
from genprm.server.queue import Queue
from genprm.server.requests import JudgingRequest
from genprm.verdict import SolutionVerdict, StepVerdict
from genprm.verify.judge import OnStep, StepJudge
from genprm.verify.settings import Settings

T = TypeVar("T")
_PROBE = Solution("What is 1 + 1?", ("1 + 1 = 2.",))
_PROBE_SECONDS = 20.0
GONE = 499  # the client closed the connection; nobody reads the status but the log


@dataclass(frozen=True, slots=True)
class SolutionOutcome:
    """One solution's verdict; `failed` where it could not be judged, and `gone` where that is
    because the engine or the sandbox is gone.
    """

    solution: Solution
    verdict: SolutionVerdict
    failed: Refusal | None = None
    gone: bool = False


class Judging:
    """The judge behind the queue."""

    def __init__(self, judge: StepJudge, limits: ServiceLimits, metrics: Metrics) -> None:
        self.judge = judge
        self.limits = limits
        self.metrics = metrics
        self.queue = Queue(limits.concurrency, limits.waiting)
        self.is_draining = False
        self.fault: str | None = None  # why the engine or the sandbox did not answer last
        self._stopped = asyncio.Event()
        self._probing = asyncio.Lock()

    def drain(self) -> None:
        """Accept no new work, and cancel what has not finished when the time is up."""
        if not self.is_draining:
            self.is_draining = True
            loop = asyncio.get_running_loop()
            loop.call_later(self.limits.drain_seconds, self._stopped.set)

    def job(
        self,
        body: JudgingRequest,
        asked: Sequence[AskedSolution | Unusable],
        *,
        single: bool = False,
    ) -> "Job":
        """Claim places for a request's solutions. One that is unusable fails alone, unless it is
        the `single` one.

        Raises:
            Refusal: a limit is passed, the single solution is unusable, the queue is full, or the
                service ends.
        """
        if self.is_draining:
            raise shutting_down()
        if len(asked) > self.limits.solutions:
            raise Refusal(
                422,
                f"{len(asked):,} solutions; "
                f"fix: send at most {self.limits.solutions:,} in one request",
                field="solutions",
            )
        items = [_read(one, self.limits) for one in asked]
        if single and isinstance(items[0], Unusable):
            raise items[0].refusal
        steps = [len(one.solution.steps) for one in items if isinstance(one, Usable)]
        settings = body.settings(self.judge.settings, self.limits, steps)
        return Job(self, settings, items, body.seconds or self.limits.seconds)

    async def until_gone(self, request: Request, work: Awaitable[T]) -> T:
        """The work's result; it is cancelled when the client goes away or the service ends.

        Raises:
            Refusal: 503 where the service ended first.
        """
        gone = asyncio.create_task(_gone(request))
        try:
            return await self._until(work, gone)
        finally:
            await _cancel(gone)

    async def until_stopped(self, work: Awaitable[T]) -> T:
        """The work's result; it is cancelled when the service ends.

        Raises:
            Refusal: 503 where the service ended first.
        """
        return await self._until(work)

    async def _until(self, work: Awaitable[T], *ends: "asyncio.Task[None]") -> T:
        job = asyncio.ensure_future(work)
        stopped = asyncio.create_task(self._stopped.wait())
        try:
            await asyncio.wait({job, stopped, *ends}, return_when=asyncio.FIRST_COMPLETED)
            if job.done():
                return job.result()
            raise shutting_down() if self._stopped.is_set() else Refusal(GONE, "the client is gone")
        finally:
            for task in (stopped, job):
                await _cancel(task)

    async def probe(self) -> str | None:
        """Why the judge does not answer, or None if it does; it is asked only after a failure."""
        if self.fault is None:
            return None
        async with self._probing:
            if self.fault is not None:
                try:
                    async with asyncio.timeout(_PROBE_SECONDS):
                        await self.judge.verify(_PROBE)
                except (GenprmError, TimeoutError) as error:
                    self.fault = str(error) or "the judge does not answer"
                else:
                    self.fault = None
        return self.fault

    async def judge_one(
        self, solution: Solution, row: int, settings: Settings, on_step: OnStep | None
    ) -> SolutionOutcome:
        """Judge one solution; try once more if the sandbox was lost meanwhile."""
        judge = self.judge.using(settings)
        seen = 0

        def forward(row: int, step: StepVerdict) -> None:
            nonlocal seen
            seen += 1
            self.metrics.count_step(solution, seen - 1, step)
            if on_step is not None:
                on_step(row, step)

        try:
            try:
                verdict = await judge.verify(solution, row=row, on_step=forward)
            except SandboxError:
                if seen:
                    raise
                verdict = await judge.verify(solution, row=row, on_step=forward)
        except (RequestFailed, InputError) as error:
            return _failure(solution, Refusal(422, str(error)))
        except GenprmError as error:
            self.fault = str(error)
            return _failure(solution, refusal_of(error), gone=True)
        except Exception as error:  # noqa: BLE001 - one solution fails alone, and the queue goes on
            return _failure(solution, refusal_of(error))
        self.fault = None
        return SolutionOutcome(solution, verdict)


class Job:
    """One request's solutions, with their places in the queue."""

    def __init__(
        self,
        judging: Judging,
        settings: Settings,
        items: Sequence[Usable | Unusable],
        seconds: float,
    ) -> None:
        usable = sum(isinstance(one, Usable) for one in items)
        self.items = items
        self._judging = judging
        self._settings = settings
        self._deadline = time.monotonic() + seconds
        self._seconds = seconds
        self._places = judging.queue.claim(usable)

    async def results(self) -> list[SolutionOutcome]:
        """The outcome of every solution, in the order of the request.

        Raises:
            Refusal: 503 where no solution was judged since the engine or the sandbox is gone, 504
                where time ran out before any was.
        """
        async with aclosing(self.each()) as finished:
            found = {row: judged async for row, judged in finished}
        results = [found[row] for row in range(len(self.items))]
        causes = [judged.failed for judged in results]
        if all(causes):
            for judged in results:
                if judged.failed and (judged.gone or judged.failed.status == 504):
                    raise judged.failed
        return results

    async def each(
        self, on_step: Callable[[int, StepVerdict], None] | None = None
    ) -> AsyncGenerator[tuple[int, SolutionOutcome], None]:
        """(row, outcome) of solutions as they finish; those that cannot be judged come first."""
        rows = range(len(self.items))
        with self._places:
            jobs = (self._one(row, on_step) for row in rows)
            async with aclosing(as_finished(jobs, len(rows))) as finished:
                async for pair in finished:
                    yield pair

    async def _one(self, row: int, on_step: OnStep | None) -> tuple[int, SolutionOutcome]:
        item = self.items[row]
        if isinstance(item, Unusable):
            return row, _failure(Solution("", (), item.id), item.refusal)

        def told(_: int, step: StepVerdict) -> None:
            if on_step is not None:
                on_step(row, step)

        start = time.monotonic()
        try:
            async with asyncio.timeout(max(0.0, self._deadline - start)):
                async with self._places.turn():
                    seed_row = row if item.row is None else item.row
                    judged = await self._judging.judge_one(
                        item.solution, seed_row, self._settings, told
                    )
        except TimeoutError:
            judged = _failure(item.solution, Refusal(504, f"not judged within {self._seconds:g} s"))
        self._judging.metrics.count_solution(
            judged.verdict, judged.failed, time.monotonic() - start
        )
        return row, judged


def _read(asked: AskedSolution | Unusable, limits: ServiceLimits) -> Usable | Unusable:
    if isinstance(asked, Unusable):
        return asked
    try:
        return asked.read(limits)
    except Refusal as refusal:
        return Unusable(asked.id, refusal)


def _failure(solution: Solution, refusal: Refusal, *, gone: bool = False) -> SolutionOutcome:
    return SolutionOutcome(solution, SolutionVerdict(solution.id, ()), refusal, gone)


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def _cancel(job: "asyncio.Future[T]") -> None:
    if not job.done():
        job.cancel()
    with suppress(asyncio.CancelledError, Exception):
        await job
