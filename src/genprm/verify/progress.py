"""Votes while they are being cast: an observer receives what each has written so far.

The watcher is found through the context of the task that judges, so it reaches the votes through
any composition of judges, and requests that run beside each other never see each other's votes.
"""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TypeAlias

from genprm.verdict import Vote


@dataclass(frozen=True, slots=True)
class VoteProgress:
    """One vote on one step, both counted from 0.

    `text` is the turn so far. `running` is the block of code that is being executed, where one is,
    and `vote` the whole vote once it is cast.
    """

    step: int
    index: int
    text: str = ""
    running: str | None = None
    vote: Vote | None = None


OnProgress: TypeAlias = Callable[[VoteProgress], None]
_watcher: ContextVar[OnProgress | None] = ContextVar("watcher", default=None)


@contextmanager
def watching(on_progress: OnProgress) -> Generator[None, None, None]:
    """Within this block, and in tasks started in it, `on_progress` is told of every vote."""
    token = _watcher.set(on_progress)
    try:
        yield
    finally:
        _watcher.reset(token)


def tell(progress: VoteProgress) -> None:
    """Tell whoever watches; nobody may."""
    if (on_progress := _watcher.get()) is not None:
        on_progress(progress)
