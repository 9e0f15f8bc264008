"""One thread that owns a batching engine and steps it for an asyncio program.

Only this thread uses the engine: with most engines it is not safe to add requests while they
compute, and they would block the event loop for whole steps. Requests arrive through a queue, and
results leave through `call_soon_threadsafe`. If the task that waits for a request is cancelled, the
thread cancels the request before the next step, which frees its place in the batch.

An error inside one request, in its prompt, its settings or the reading of its output, becomes
`RequestFailed` for that request; the others continue.
"""

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from queue import SimpleQueue
from threading import Event, Lock, Thread
from typing import Any, Generic, Protocol, TypeVar

from genprm.errors import ModelError, RequestFailed

_LOOP_TURNS = 3
"""Turns of the event loop between a result and the request that follows from it: the result is
set, the task that waits for it goes on, and the tasks that it starts ask for more."""

_PATIENCE = 0.02
"""Seconds that a step waits at most for the event loop to take those turns."""

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
B = TypeVar("B", bound="Batch")
B_contra = TypeVar("B_contra", bound="Batch", contravariant=True)


class Batch(Protocol):
    """An engine that advances all its requests at once; only its thread calls it."""

    def step(self) -> None:
        """Advance every running request.

        Raises:
            RuntimeError: the engine failed; its state is undefined from then on.
        """
        ...

    def close(self) -> None:
        """Release everything; running requests have already been cancelled."""
        ...


class Running(Protocol[T_co]):
    """A request inside a batch."""

    def result(self) -> T_co | None:
        """The result, once the request is finished."""
        ...

    def cancel(self) -> None:
        """Free its place; its result is no longer needed."""
        ...


class Request(Protocol[B_contra, T_co]):
    """Something to generate."""

    def start(self, batch: B_contra) -> Running[T_co]:
        """Put it into the batch. Whatever this raises is the outcome of this request."""
        ...


class EngineThread(Generic[B]):
    """Steps a batch while it has requests, and sleeps while it has none.

    `build` makes the batch; it is called again after a failed step. `engine` is the name in
    error messages.

    Raises:
        Whatever `build` raises.
    """

    def __init__(self, engine: str, build: Callable[[], B]) -> None:
        self._engine = engine
        self._build = build
        self._batch = build()
        self._inbox: SimpleQueue[_Job[B, Any] | None] = SimpleQueue()
        self._running: list[tuple[_Job[B, Any], Running[Any]]] = []
        self._closed = False
        self._closing = Lock()  # nothing comes into the inbox after the end of it
        self._thread = Thread(target=self._run, name=f"genprm-{engine}", daemon=True)
        self._thread.start()

    async def run(self, request: Request[B, T]) -> T:
        """Generate until the request has its result.

        Raises:
            ModelError: the engine refused the request, failed, or is closed.
        """
        job: _Job[B, T] = _Job(request, asyncio.get_running_loop().create_future())
        with self._closing:
            if self._closed:
                raise ModelError(f"{self._engine}: the model is closed")
            self._inbox.put(job)
        return await job.future

    def close(self) -> None:
        """End the thread after its current step; waiting requests fail. Idempotent."""
        self._end()
        self._thread.join()

    def _end(self) -> None:
        with self._closing:
            self._closed = True
            self._inbox.put(None)

    def _run(self) -> None:
        try:
            while self._admit():
                self._step()
                self._deliver()
        finally:
            self._end()
            while (job := self._inbox.get()) is not None:
                job.resolve(ModelError(f"{self._engine}: the model was closed"))
            for _, running in self._running:
                running.cancel()
            self._batch.close()
            self._fail(ModelError(f"{self._engine}: the model was closed during the request"))
            del self._batch, self._build

    def _admit(self) -> bool:
        """Start new requests, or wait if there is nothing to do; false when closed."""
        while not self._running or not self._inbox.empty():
            job = self._inbox.get()
            if job is None:
                return False
            with self._failing(job):
                self._running.append((job, job.request.start(self._batch)))
        dropped = [job.future.cancelled() for job, _ in self._running]
        for (_, running), is_dropped in zip(self._running, dropped, strict=True):
            if is_dropped:
                running.cancel()
        if any(dropped):
            self._running = [
                pair for pair, gone in zip(self._running, dropped, strict=True) if not gone
            ]
        return True

    def _step(self) -> None:
        try:
            self._batch.step()
        except Exception as error:  # noqa: BLE001 - whatever it is, no request may wait forever
            self._fail(ModelError(self._one_line(error)))
            self._batch = self._build()

    def _deliver(self) -> None:
        finished: list[_Job[B, Any]] = []
        unfinished = []
        for job, running in self._running:
            if self._finished(job, running):
                finished.append(job)
            else:
                unfinished.append((job, running))
        self._running = unfinished
        if finished:
            finished[-1].let_the_loop_turn()

    def _finished(self, job: "_Job[B, T]", running: Running[T]) -> bool:
        with self._failing(job):
            result = running.result()
            if result is None:
                return False
            job.resolve(result)
            return True
        running.cancel()
        return True

    def _fail(self, error: ModelError) -> None:
        for job, _ in self._running:
            job.resolve(error)
        self._running = []

    @contextlib.contextmanager
    def _failing(self, job: "_Job[B, Any]") -> Iterator[None]:
        """Whatever fails inside becomes the outcome of this job only."""
        try:
            yield
        except Exception as error:  # noqa: BLE001 - a fault of one request must not end the thread
            ours = error if isinstance(error, ModelError) else None
            job.resolve(ours or RequestFailed(self._one_line(error)))

    def _one_line(self, error: Exception) -> str:
        """The message as one line; engines put the failed check first and the reason last."""
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        return f"{self._engine}: {lines[-1] if lines else type(error).__name__}"


@dataclass(frozen=True, slots=True)
class _Job(Generic[B, T]):
    """A request and the future that waits for it."""

    request: Request[B, T]
    future: asyncio.Future[T]

    def resolve(self, result: T | ModelError) -> None:
        """Pass the outcome to the waiting task, if it is still waiting."""
        with contextlib.suppress(RuntimeError):  # its event loop is closed: nobody waits
            self.future.get_loop().call_soon_threadsafe(_set, self.future, result)

    def let_the_loop_turn(self) -> None:
        """Wait until the event loop has acted on the results, or for a moment.

        An engine may hold the interpreter's lock for a whole step. Without this wait, requests that
        follow from a result would always arrive one step too late.
        """
        turned = Event()
        loop = self.future.get_loop()

        def turn(left: int) -> None:
            if left:
                loop.call_soon(turn, left - 1)
            else:
                turned.set()

        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(turn, _LOOP_TURNS)
            turned.wait(_PATIENCE)


def _set(future: asyncio.Future[T], result: T | ModelError) -> None:
    if future.done():
        return
    if isinstance(result, ModelError):
        future.set_exception(result)
    else:
        future.set_result(result)
