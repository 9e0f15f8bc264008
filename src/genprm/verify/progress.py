"""Votes while they are being cast: an observer receives what each has written so far.

The observer is stored in the context of the judging task. So it sees the votes of any composition
of judges, and concurrent requests never see each other's votes.
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

    `text` is the turn so far. `running` is the block of code that is being executed, if any, and
    `vote` the whole vote once it is cast.
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
    """Within this block, and in tasks started in it, call `on_progress` for every vote."""
    token = _watcher.set(on_progress)
    try:
        yield
    finally:
        _watcher.reset(token)


def tell(progress: VoteProgress) -> None:
    """Notify the observer, if there is one."""
    if (on_progress := _watcher.get()) is not None:
        on_progress(progress)
