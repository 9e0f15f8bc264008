"""What runs on a node of a cluster: one engine and one sandbox that compute the rows sent to them.

Errors travel as data: they are raised again by whoever asked.
"""

import asyncio
import os
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from typing import Generic

from genprm.errors import GenprmError, RequestFailed
from genprm.records.run_spec import JudgeSpec, PolicySpec
from genprm.worker import Item, R, Work, Worker


@dataclass(frozen=True, slots=True)
class Ready:
    """An actor that can make rows: who judges there, and where it is."""

    judge: JudgeSpec | None
    policy: PolicySpec | None
    version: str  # of genprm
    host: str
    pid: int
    log: str  # the file that its standard error goes to


@dataclass(frozen=True, slots=True)
class RowFailed:
    """This row cannot be made; the actor works on."""

    cause: str


@dataclass(frozen=True, slots=True)
class Broken:
    """The actor cannot make this row or any other."""

    cause: str


class TaskActor(Generic[Item, R]):
    """Opens work once, then makes its rows. Wrapped by Ray; `close` ends it.

    Args:
        work: what is opened.
        folder: where the command was started; paths in `work` are relative to it.
        environment: variables to set first.
    """

    def __init__(self, work: Work[Item, R], folder: str, environment: Mapping[str, str]) -> None:
        os.environ.update(environment)
        if os.path.isdir(folder):
            os.chdir(folder)
        self._work = work
        self._worker: Worker[Item, R] | None = None
        self._closing = asyncio.Event()
        self._living: asyncio.Task[None] | None = None

    async def open(self) -> Ready | Broken:
        """Open the work; where it is open, or why it cannot be."""
        opening: asyncio.Future[Worker[Item, R]] = asyncio.get_running_loop().create_future()
        self._living = asyncio.create_task(self._live(opening))
        await asyncio.wait((opening, self._living), return_when=asyncio.FIRST_COMPLETED)
        if not opening.done():
            error = self._living.exception()
            if isinstance(error, GenprmError):
                return Broken(str(error))
            assert error is not None
            raise error
        worker = self._worker = opening.result()
        return Ready(
            worker.judge,
            worker.policy,
            metadata.version("genprm"),
            platform.node(),
            os.getpid(),
            _log_file(),
        )

    async def node(self) -> str:
        """The id of the node that it was placed on."""
        import ray

        name: str = ray.get_runtime_context().get_node_id()
        return name

    async def make(self, row: int, item: Item) -> R | RowFailed | Broken:
        """The row, or why there is none."""
        assert self._worker is not None
        try:
            return await self._worker.make(row, item)
        except RequestFailed as error:
            return RowFailed(str(error))
        except GenprmError as error:
            return Broken(str(error))

    async def stay(self) -> None:
        """Wait until the actor is closed: the answer fails when it dies."""
        await self._closing.wait()

    async def close(self) -> None:
        """Close the engine and the sandbox."""
        self._closing.set()
        if self._living is not None:
            await asyncio.wait((self._living,))

    async def _live(self, opening: "asyncio.Future[Worker[Item, R]]") -> None:
        """The whole life of the worker, in one task: it is closed where it was opened."""
        async with self._work.open() as worker:
            opening.set_result(worker)
            await self._closing.wait()


def _log_file() -> str:
    """The file that Ray sends this process's standard error to."""
    try:
        return os.readlink("/proc/self/fd/2")
    except OSError:
        return ""
