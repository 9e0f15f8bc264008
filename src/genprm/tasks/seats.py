"""Which actor works on which row: slots of actors that come and go.

An actor has so many seats, and a row takes one. A row that was at work when its actor died is
under suspicion: it is tried again with an actor to itself, so that a row which kills its actor
takes no other row with it, and the rows that sat beside it are cleared.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Generic, TypeVar

A = TypeVar("A")  # an actor: any object that can be a key


class Seats(Generic[A]):
    """The seats of all actors that are alive.

    Args:
        each: how many rows one actor takes at the same time.
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
        """An actor is ready to work."""
        self._taken[actor] = 0
        self._assign()

    def remove(self, actor: A) -> None:
        """An actor is gone; who sat there finds out alone. Idempotent."""
        self._taken.pop(actor, None)
        self._alone.discard(actor)

    def fail(self, error: Exception) -> None:
        """No actor will come any more: whoever waits for a seat gets this error."""
        self._error = error
        for future in (*self._suspects, *self._waiting):
            if not future.done():
                future.set_exception(error)
        self._suspects.clear()
        self._waiting.clear()

    @asynccontextmanager
    async def take(self, *, alone: bool = False) -> AsyncGenerator[A, None]:
        """A seat, or with `alone` all seats of one actor; waits until there is one.

        Raises:
            Exception: what `fail` was given.
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
        """Seat whoever waits. A suspect that waits keeps the least busy actor from filling up."""
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
    """Who has waited longest, and still does."""
    while askers and askers[0].done():
        askers.popleft()
    return askers[0] if askers else None
