"""What runs on a node of a cluster: one engine and one sandbox that compute the rows sent to them.

Errors are sent as data, and raised again by the caller.
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
    """An actor that can compute rows: the spec of its judge, and where it runs."""

    judge: JudgeSpec | None
    policy: PolicySpec | None
    version: str  # of genprm
    host: str
    pid: int
    log: str  # the file that its standard error goes to


@dataclass(frozen=True, slots=True)
class RowFailed:
    """This row cannot be computed; the actor continues."""

    cause: str


@dataclass(frozen=True, slots=True)
class Broken:
    """The actor can compute neither this row nor any other."""

    cause: str


class TaskActor(Generic[Item, R]):
    """Opens work once, then computes its rows. Wrapped by Ray; `close` ends it.

    Args:
        work: the work to open.
        folder: the folder where the command was started; paths in `work` are relative to it.
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
        """Open the work, and return where it is open or why it cannot be opened."""
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
        """The id of the actor's node."""
        import ray

        name: str = ray.get_runtime_context().get_node_id()
        return name

    async def make(self, row: int, item: Item) -> R | RowFailed | Broken:
        """Compute the row, or return why it failed."""
        assert self._worker is not None
        try:
            return await self._worker.make(row, item)
        except RequestFailed as error:
            return RowFailed(str(error))
        except GenprmError as error:
            return Broken(str(error))

    async def stay(self) -> None:
        """Wait until the actor is closed; the call fails if the actor dies."""
        await self._closing.wait()

    async def close(self) -> None:
        """Close the engine and the sandbox."""
        self._closing.set()
        if self._living is not None:
            await asyncio.wait((self._living,))

    async def _live(self, opening: "asyncio.Future[Worker[Item, R]]") -> None:
        """Open, use and close the worker in one task: it must be closed where it was opened."""
        async with self._work.open() as worker:
            opening.set_result(worker)
            await self._closing.wait()


def _log_file() -> str:
    """The file to which Ray redirects this process's standard error."""
    try:
        return os.readlink("/proc/self/fd/2")
    except OSError:
        return ""
