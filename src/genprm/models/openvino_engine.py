"""One thread that owns an openvino-genai pipeline and steps it for an asyncio program.

Nothing but this thread touches the pipeline or its tokenizer: `add_request` is not safe beside
`step`, and all of them would make the event loop wait for whole steps. Requests come in by a
queue and their results go out by `call_soon_threadsafe`. Cancelling the task that waits for a
request makes the thread cancel it before the next step, which frees its place in the batch and
its cache blocks.
"""

import asyncio
import contextlib
import itertools
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from queue import SimpleQueue
from threading import Lock, Thread
from typing import Any, Generic, Protocol, TypeVar

from openvino_genai import ContinuousBatchingPipeline
from openvino_genai.py_openvino_genai import GenerationHandle, GenerationOutput, GenerationStatus

from genprm.errors import ModelError

_PAUSE = 0.001
"""Seconds after a step that gave results. A step holds the interpreter's lock throughout, so
without a pause the event loop has one turn a step, and what follows a result takes several."""

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Request(Protocol[T_co]):
    """Something to generate; the engine's thread calls both."""

    def start(self, pipeline: ContinuousBatchingPipeline, request_id: int) -> GenerationHandle:
        """Hand it to the pipeline.

        Raises:
            ModelError: it makes no sense, or no room for it.
        """
        ...

    def read(self, outputs: Sequence[GenerationOutput]) -> T_co | None:
        """Take the outputs of one step, one per returned sequence; the result once it is known."""
        ...


class Engine:
    """Continuous batching for any number of concurrent requests.

    `build` makes the pipeline; it is called again if a step fails, since the pipeline's state is
    undefined from then on.
    """

    def __init__(self, build: Callable[[], ContinuousBatchingPipeline]) -> None:
        self._build = build
        self._pipeline = build()
        self._inbox: SimpleQueue[_Job[Any] | None] = SimpleQueue()
        self._running: list[_Running] = []
        self._closed = False
        self._closing = Lock()  # nothing comes into the inbox after the end of it
        self._thread = Thread(target=self._run, name="genprm-openvino", daemon=True)
        self._thread.start()

    async def run(self, request: Request[T]) -> T:
        """Generate until the request has its result.

        Raises:
            ModelError: the engine refused the request, failed, or is closed.
        """
        job: _Job[T] = _Job(request, asyncio.get_running_loop().create_future())
        with self._closing:
            if self._closed:
                raise ModelError("openvino: the model is closed")
            self._inbox.put(job)
        return await job.future

    def close(self) -> None:
        """End the thread after its current step; waiting requests fail."""
        self._end()
        self._thread.join()

    def _end(self) -> None:
        with self._closing:
            self._closed = True
            self._inbox.put(None)

    def _run(self) -> None:
        request_ids = itertools.count()  # the sampler keys its state by them: never reuse one
        try:
            while self._admit(request_ids):
                self._step()
                self._deliver()
        finally:
            self._end()
            while (job := self._inbox.get()) is not None:
                job.resolve(ModelError("openvino: the model was closed"))
            self._release()

    def _admit(self, request_ids: Iterator[int]) -> bool:
        """Start what has come in, wait if there is nothing to do; false at the end."""
        while not self._running or not self._inbox.empty():
            job = self._inbox.get()
            if job is None:
                return False
            with job.failing():
                handle = job.request.start(self._pipeline, next(request_ids))
                self._running.append(_Running(job, handle))
        self._running = [one for one in self._running if not one.dropped()]
        return True

    def _step(self) -> None:
        try:
            self._pipeline.step()
        except RuntimeError as error:
            self._fail(translate(error))
            self._pipeline = self._build()

    def _deliver(self) -> None:
        unfinished = [one for one in self._running if not one.finished()]
        if len(unfinished) < len(self._running):
            time.sleep(_PAUSE)
        self._running = unfinished

    def _release(self) -> None:
        """Let go of the pipeline; it complains of leaks if a request is left in it."""
        for one in self._running:
            one.handle.cancel()
        with contextlib.suppress(RuntimeError):
            self._pipeline.step()
        self._fail(ModelError("openvino: the model was closed during the request"))
        del self._pipeline, self._build

    def _fail(self, error: ModelError) -> None:
        for one in self._running:
            one.job.resolve(error)
        self._running = []


@dataclass(frozen=True, slots=True)
class _Job(Generic[T]):
    """A request and who waits for it."""

    request: Request[T]
    future: asyncio.Future[T]

    def resolve(self, result: T | ModelError) -> None:
        """Hand the outcome to the waiting task, if it still waits."""
        with contextlib.suppress(RuntimeError):  # its event loop is closed: nobody waits
            self.future.get_loop().call_soon_threadsafe(_set, self.future, result)

    @contextlib.contextmanager
    def failing(self) -> Iterator[None]:
        """What fails in here is this job's outcome and no other's."""
        try:
            yield
        except ModelError as error:
            self.resolve(error)
        except RuntimeError as error:
            self.resolve(translate(error))


@dataclass(frozen=True, slots=True)
class _Running:
    """A job in the pipeline."""

    job: _Job[Any]
    handle: GenerationHandle

    def dropped(self) -> bool:
        """Whether nobody waits for it any more; if so, free its place in the engine."""
        if not self.job.future.cancelled():
            return False
        self.handle.cancel()
        return True

    def finished(self) -> bool:
        """Read what the last step gave; whether the job is over."""
        while self.handle.can_read():
            result = self.job.request.read(list(self.handle.read().values()))
            if result is not None:
                self.handle.stop()  # the request may be satisfied before the engine is
                self.job.resolve(result)
                return True
        if self.handle.get_status() is GenerationStatus.IGNORED:
            self.job.resolve(ModelError("openvino: the KV cache is too small; raise cache_gb"))
            return True
        return False


def translate(error: RuntimeError) -> ModelError:
    """A failure of the engine in one line; it puts the failed check first, the reason last."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return ModelError(f"openvino: {lines[-1] if lines else 'unknown failure'}")


def _set(future: asyncio.Future[T], result: T | ModelError) -> None:
    if future.done():
        return
    if isinstance(result, ModelError):
        future.set_exception(result)
    else:
        future.set_result(result)
