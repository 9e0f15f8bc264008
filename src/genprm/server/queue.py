"""A bounded queue: so many at a time, so many waiting, and a clear no to the rest."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Self

from genprm.errors import GenprmError


class Full(GenprmError):
    """There is no room for the request now."""


class Queue:
    """Counts solutions. A request claims a place for each of its own, or is refused whole."""

    def __init__(self, concurrency: int, bound: int) -> None:
        self._free = asyncio.Semaphore(concurrency)
        self._bound = concurrency + bound
        self._claimed = 0
        self.running = 0

    @property
    def waiting(self) -> int:
        """Accepted and not yet begun."""
        return self._claimed - self.running

    def claim(self, count: int) -> "Queue.Places":
        """Places for `count` solutions.

        Raises:
            Full: there is no room for all of them.
        """
        if self._claimed + count > self._bound:
            raise Full(
                f"busy: {self._claimed} solutions are being judged or waiting, and there is room "
                f"for {self._bound}; fix: send {count} later, or fewer"
            )
        return self.Places(self, count)

    class Places:
        """A request's places, given back as its solutions finish, all of them at the end."""

        def __init__(self, queue: "Queue", count: int) -> None:
            self._queue = queue
            self._left = count
            queue._claimed += count

        @asynccontextmanager
        async def turn(self) -> AsyncGenerator[None, None]:
            """Wait until one more solution may be judged."""
            async with self._queue._free:
                self._queue.running += 1
                try:
                    yield
                finally:
                    self._queue.running -= 1
                    self._release(1)

        def __enter__(self) -> Self:
            return self

        def __exit__(
            self,
            kind: type[BaseException] | None,
            error: BaseException | None,
            traceback: TracebackType | None,
        ) -> None:
            self._release(self._left)

        def _release(self, count: int) -> None:
            self._left -= count
            self._queue._claimed -= count
