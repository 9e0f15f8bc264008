"""Where work is done: in this process, or by the actors of a cluster (`genprm.tasks.cluster`)."""

from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Protocol

from genprm.worker import Item, Opened, R, Work


class Executor(Protocol):
    """A place where work is done."""

    def open(
        self, work: Work[Item, R], *, rows_at_once: int
    ) -> AbstractAsyncContextManager[Opened[Item, R]]:
        """A worker for this work, which is closed at the end.

        Args:
            work: what is to be done.
            rows_at_once: how many rows one engine gets at the same time.

        Raises:
            GenprmError: the work cannot be started here.
        """
        ...

    @property
    def status(self) -> str:
        """A text to show beside the progress of the work, or an empty one."""
        ...


class InProcess:
    """This process: its one event loop, one engine, one sandbox."""

    status = ""

    @asynccontextmanager
    async def open(
        self, work: Work[Item, R], *, rows_at_once: int
    ) -> AsyncGenerator[Opened[Item, R], None]:
        """See `Executor.open`."""
        async with work.open() as worker:
            yield Opened(worker, rows_at_once)
