"""A bounded queue: so many run, so many wait, and the rest are refused."""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Self

from genprm.server.errors import Refusal

_LONGEST_WAIT = 60  # seconds that a client is told to wait, at most


class Queue:
    """Counts solutions. A request claims a place for each of its solutions, or is refused."""

    def __init__(self, concurrency: int, bound: int, *, of: str = "solutions") -> None:
        self._concurrency = concurrency
        self._free = asyncio.Semaphore(concurrency)
        self._bound = concurrency + bound
        self._of = of
        self._claimed = 0
        self._seconds = 0.0  # a moving average for one
        self.running = 0

    @property
    def waiting(self) -> int:
        """Accepted and not yet started."""
        return self._claimed - self.running

    def claim(self, count: int) -> "Queue.Places":
        """Places for `count` solutions.

        Raises:
            Refusal: 413 if there is never room for so many, 429 if there is none now.
        """
        if count > self._bound:
            raise Refusal(
                413,
                f"{count} {self._of} in one request, but there is room for only {self._bound}",
                field="solutions",
                fix="send fewer at once",
            )
        if self._claimed + count > self._bound:
            raise Refusal(
                429,
                f"busy: {self._claimed} {self._of} are in progress or waiting, and there is room "
                f"for {self._bound}",
                fix=f"send {count} later, or fewer",
                retry_after=self._wait(count),
            )
        return self.Places(self, count)

    def _wait(self, count: int) -> int:
        """Estimated seconds until there is room for `count`."""
        over = self._claimed + count - self._bound
        seconds = over * self._seconds / self._concurrency
        return max(1, min(_LONGEST_WAIT, round(seconds)))

    class Places:
        """A request's places, which are given back as its solutions finish."""

        def __init__(self, queue: "Queue", count: int) -> None:
            self._queue = queue
            self._left = count
            queue._claimed += count

        @asynccontextmanager
        async def turn(self) -> AsyncGenerator[None, None]:
            """Wait until one more solution may be judged."""
            async with self._queue._free:
                self._queue.running += 1
                start = time.monotonic()
                try:
                    yield
                finally:
                    seconds = time.monotonic() - start
                    self._queue._seconds += 0.1 * (seconds - self._queue._seconds)
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
