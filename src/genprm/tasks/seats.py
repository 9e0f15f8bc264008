"""Which actor works on which row: slots of actors that come and go.

An actor has a number of slots, and each row takes one. A row that was in progress when its actor
died may be the cause, so it is tried again alone on an actor. If it then kills its actor, no other
row is lost, and the rows that ran beside it are known not to be the cause.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Generic, TypeVar

A = TypeVar("A")  # an actor: any object that can be a key


class Seats(Generic[A]):
    """The slots of all actors that are alive.

    Args:
        each: the number of rows that one actor takes at the same time.
    """

    def __init__(self, each: int) -> None:
        self._each = each
        self._taken: dict[A, int] = {}  # of every actor that is alive
        self._alone: set[A] = set()  # actors that one row has to itself
        self._waiting: deque[asyncio.Future[A]] = deque()
        self._suspects: deque[asyncio.Future[A]] = deque()
        self._error: Exception | None = None

    def __len__(self) -> int:
        return len(self._taken)

    def add(self, actor: A) -> None:
        """Add an actor that is ready."""
        self._taken[actor] = 0
        self._assign()

    def remove(self, actor: A) -> None:
        """Remove an actor that is gone; its rows notice that themselves. Idempotent."""
        self._taken.pop(actor, None)
        self._alone.discard(actor)

    def fail(self, error: Exception) -> None:
        """Raise this error in all rows that wait for a slot, since no actor will come any more."""
        self._error = error
        for future in (*self._suspects, *self._waiting):
            if not future.done():
                future.set_exception(error)
        self._suspects.clear()
        self._waiting.clear()

    @asynccontextmanager
    async def take(self, *, alone: bool = False) -> AsyncGenerator[A, None]:
        """Wait for a slot, or with `alone` for all slots of one actor, and take it.

        Raises:
            Exception: the error that was passed to `fail`.
        """
        if self._error is not None:
            raise self._error
        future: asyncio.Future[A] = asyncio.get_running_loop().create_future()
        (self._suspects if alone else self._waiting).append(future)
        self._assign()
        try:
            actor = await future
        except asyncio.CancelledError:
            if future.done() and not future.cancelled() and future.exception() is None:
                self._give_back(future.result(), alone=alone)
            raise
        try:
            yield actor
        finally:
            self._give_back(actor, alone=alone)

    def _give_back(self, actor: A, *, alone: bool) -> None:
        if actor in self._taken:
            self._taken[actor] -= self._each if alone else 1
            if alone:
                self._alone.discard(actor)
        self._assign()

    def _assign(self) -> None:
        """Give free slots to waiting rows; for one that must run alone, an actor is kept free."""
        emptied: A | None = None
        while suspect := _first(self._suspects):
            free = [actor for actor in self._taken if actor not in self._alone]
            if not free:
                break
            emptied = min(free, key=self._taken.__getitem__)
            if self._taken[emptied]:
                break
            self._suspects.popleft()
            self._taken[emptied] = self._each
            self._alone.add(emptied)
            suspect.set_result(emptied)
            emptied = None
        open_to_all = [
            actor for actor in self._taken if actor not in self._alone and actor != emptied
        ]
        while open_to_all and (asker := _first(self._waiting)):
            actor = min(open_to_all, key=self._taken.__getitem__)
            if self._taken[actor] >= self._each:
                return
            self._waiting.popleft()
            self._taken[actor] += 1
            asker.set_result(actor)


def _first(askers: deque[asyncio.Future[A]]) -> "asyncio.Future[A] | None":
    """The row that has waited longest."""
    while askers and askers[0].done():
        askers.popleft()
    return askers[0] if askers else None
