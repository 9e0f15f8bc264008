"""One thread that owns an openvino-genai pipeline and steps it for an asyncio program.

Nothing but this thread touches the pipeline: its `add_request` is not safe beside `step`. Jobs
come in by a queue and their results go out by `call_soon_threadsafe`. Cancelling the task that
waits for a job makes the thread cancel the request before the next step, which frees its place
in the batch and its cache blocks.
"""

import asyncio
import contextlib
import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from queue import SimpleQueue
from threading import Thread
from typing import Any, Generic, Protocol, TypeVar

from openvino import Tensor
from openvino_genai import ContinuousBatchingPipeline, GenerationConfig
from openvino_genai.py_openvino_genai import GenerationHandle, GenerationOutput, GenerationStatus

from genprm.errors import ModelError

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Reader(Protocol[T_co]):
    """What a job makes of the engine's outputs as they come."""

    def read(self, outputs: Sequence[GenerationOutput]) -> T_co | None:
        """Take the outputs of one step, one per returned sequence; the result once it is known."""
        ...


@dataclass(slots=True)
class Job(Generic[T]):
    """A request: token ids [1, tokens], how to generate, and who reads the outputs."""

    ids: Tensor
    config: GenerationConfig
    reader: Reader[T]
    future: asyncio.Future[T] = field(init=False)

    def resolve(self, result: T | ModelError) -> None:
        """Hand the outcome to the waiting task, if it still waits. Called by the thread."""
        with contextlib.suppress(RuntimeError):  # its event loop is closed: nobody waits
            self.future.get_loop().call_soon_threadsafe(_set, self.future, result)


class Engine:
    """Continuous batching for any number of concurrent jobs.

    `build` makes the pipeline; it is called again if a step fails, since the pipeline's state is
    undefined from then on.
    """

    def __init__(self, build: Callable[[], ContinuousBatchingPipeline]) -> None:
        self._build = build
        self._pipeline = build()
        self._inbox: SimpleQueue[Job[Any] | None] = SimpleQueue()
        self._closed = False
        self._thread = Thread(target=self._run, name="genprm-openvino", daemon=True)
        self._thread.start()

    async def run(self, job: Job[T]) -> T:
        """Generate until the job's reader has its result.

        Raises:
            ModelError: the engine refused the request, failed, or is closed.
        """
        if self._closed:
            raise ModelError("openvino: the model has been closed")
        job.future = asyncio.get_running_loop().create_future()
        self._inbox.put(job)
        return await job.future

    def close(self) -> None:
        """End the thread after its current step; waiting jobs fail."""
        self._closed = True
        self._inbox.put(None)
        self._thread.join()

    def _run(self) -> None:
        running: list[tuple[Job[Any], GenerationHandle]] = []
        request_ids = itertools.count()  # the sampler keys its state by them: never reuse one
        while True:
            while not running or not self._inbox.empty():
                job = self._inbox.get()
                if job is None:
                    return self._abandon(running)
                try:
                    handle = self._pipeline.add_request(next(request_ids), job.ids, job.config)
                except RuntimeError as error:
                    job.resolve(_translate(error))
                else:
                    running.append((job, handle))
            running = [pair for pair in running if not _dropped(*pair)]
            try:
                self._pipeline.step()
            except RuntimeError as error:
                for job, _ in running:
                    job.resolve(_translate(error))
                running = []
                self._pipeline = self._build()
            running = [pair for pair in running if not _finished(*pair)]

    def _abandon(self, running: Sequence[tuple[Job[Any], GenerationHandle]]) -> None:
        waiting = [job for job, _ in running]
        while not self._inbox.empty():
            waiting += [job for job in [self._inbox.get()] if job is not None]
        for job in waiting:
            job.resolve(ModelError("openvino: the model was closed during the request"))
        del self._pipeline, self._build


def _dropped(job: Job[Any], handle: GenerationHandle) -> bool:
    """Whether nobody waits for the job any more; if so, free its place in the engine."""
    if not job.future.cancelled():
        return False
    handle.cancel()
    return True


def _finished(job: Job[Any], handle: GenerationHandle) -> bool:
    """Read what the last step gave; whether the job is over."""
    while handle.can_read():
        result = job.reader.read(list(handle.read().values()))
        if result is not None:
            handle.stop()  # the reader may be satisfied before the engine is
            job.resolve(result)
            return True
    if handle.get_status() is GenerationStatus.IGNORED:
        job.resolve(ModelError("openvino: the request does not fit the KV cache; raise cache_gb"))
        return True
    return False


def _set(future: asyncio.Future[T], result: T | ModelError) -> None:
    if future.done():
        return
    if isinstance(result, ModelError):
        future.set_exception(result)
    else:
        future.set_result(result)


def _translate(error: RuntimeError) -> ModelError:
    # openvino puts the failed check and its source line first, the reason last
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return ModelError(f"openvino: {lines[-1] if lines else 'unknown failure'}")
