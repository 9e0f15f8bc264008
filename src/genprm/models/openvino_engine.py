"""An openvino-genai pipeline as a batch for the engine thread."""

import contextlib
import itertools
from collections.abc import Sequence
from typing import Generic, Protocol, TypeVar

from openvino_genai import ContinuousBatchingPipeline
from openvino_genai.py_openvino_genai import GenerationHandle, GenerationOutput, GenerationStatus

from genprm.errors import ModelError

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Reader(Protocol[T_co]):
    """Reads the outputs of one request."""

    def read(self, outputs: Sequence[GenerationOutput]) -> T_co | None:
        """Take the outputs of one step, one per returned sequence; the result once it is known."""
        ...


class PipelineBatch:
    """A pipeline, with unique ids for its requests, by which the sampler stores its state."""

    def __init__(self, pipeline: ContinuousBatchingPipeline) -> None:
        self.pipeline = pipeline
        self.request_ids = itertools.count()

    def step(self) -> None:
        """See `Batch.step`."""
        self.pipeline.step()

    def close(self) -> None:
        """Release cancelled requests; a pipeline reports a leak if one is left in it."""
        with contextlib.suppress(RuntimeError):
            self.pipeline.step()
        del self.pipeline


class RunningRequest(Generic[T]):
    """A request in the pipeline, whose tokens are read as they arrive."""

    def __init__(self, handle: GenerationHandle, reader: Reader[T]) -> None:
        self._handle = handle
        self._reader = reader

    def result(self) -> T | None:
        """Read the output of the last step; see `Running.result`.

        Raises:
            ModelError: the request does not fit the KV cache.
        """
        while self._handle.can_read():
            result = self._reader.read(list(self._handle.read().values()))
            if result is not None:
                self._handle.stop()  # the request may be satisfied before the engine is
                return result
        if self._handle.get_status() is GenerationStatus.IGNORED:
            raise ModelError(
                "OpenVINO: the KV cache is too small; fix: pass a larger --engine-arg cache_gb=…"
            )
        return None

    def cancel(self) -> None:
        """See `Running.cancel`."""
        self._handle.cancel()
