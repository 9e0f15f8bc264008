"""An event loop in a thread, so that a blocking reward function can judge concurrently.

A judge belongs to one event loop, but trainers call from other threads and loops, and from
processes that they have forked. A forked process does not have its parent's threads, so it gets a
loop of its own; a judge that cannot be used there raises an error with one line.
"""

import asyncio
import atexit
import os
import threading
from collections.abc import Sequence

from genprm.problem import Solution
from genprm.rewards.judges import CompletionJudge, CompletionVerdict


class Background:
    """Runs one judge in a thread of its own, from its first use until the process ends."""

    def __init__(self, judge: CompletionJudge) -> None:
        self._judge = judge
        self._process = os.getpid()
        self._starting = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None

    def judge(self, solutions: Sequence[Solution]) -> list[CompletionVerdict]:
        """Judge a batch and wait."""
        if not solutions:
            return []
        loop = self._running()
        return asyncio.run_coroutine_threadsafe(self._judge.judge(solutions), loop).result()

    async def ajudge(self, solutions: Sequence[Solution]) -> list[CompletionVerdict]:
        """Judge a batch without blocking the caller's loop."""
        if not solutions:
            return []
        loop = self._running()
        job = asyncio.run_coroutine_threadsafe(self._judge.judge(solutions), loop)
        return await asyncio.wrap_future(job)

    def close(self) -> None:
        """Close the judge and end the thread. Idempotent; does nothing in a forked process."""
        if self._process != os.getpid():
            return
        with self._starting:
            loop, self._loop = self._loop, None
        if loop is not None:
            asyncio.run_coroutine_threadsafe(self._judge.close(), loop).result()
            loop.call_soon_threadsafe(loop.stop)
            self._thread.join()
            loop.close()

    def _running(self) -> asyncio.AbstractEventLoop:
        if self._process != os.getpid():
            self._follow_fork()
        with self._starting:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(
                    target=self._loop.run_forever, name="genprm-rewards", daemon=True
                )
                self._thread.start()
                atexit.register(self.close)
            return self._loop

    def _follow_fork(self) -> None:
        """Replace the parent's loop, lock and connections, which a forked process cannot use.

        Raises:
            ModelError: the judge cannot be used in a forked process.
        """
        after_fork = getattr(self._judge, "after_fork", None)
        if after_fork is not None:
            after_fork()
        self._starting = threading.Lock()
        self._loop = None
        self._process = os.getpid()
