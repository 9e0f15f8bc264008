"""An event loop beside the trainer, so that a blocking reward function can judge concurrently.

A judge lives in one loop; trainers call from threads and loops of their own.
"""

import asyncio
import atexit
import threading
from collections.abc import Sequence

from genprm.problem import Solution
from genprm.rewards.judges import Judge, Judged


class Background:
    """Runs one judge in a thread of its own, from its first use until the process ends."""

    def __init__(self, judge: Judge) -> None:
        self._judge = judge
        self._starting = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None

    def judge(self, solutions: Sequence[Solution]) -> list[Judged]:
        """Judge a batch and wait."""
        return asyncio.run_coroutine_threadsafe(
            self._judge.judge(solutions), self._running()
        ).result()

    async def ajudge(self, solutions: Sequence[Solution]) -> list[Judged]:
        """Judge a batch; the caller's loop goes on."""
        job = asyncio.run_coroutine_threadsafe(self._judge.judge(solutions), self._running())
        return await asyncio.wrap_future(job)

    def close(self) -> None:
        """Close the judge and end the thread. Idempotent."""
        with self._starting:
            loop, self._loop = self._loop, None
        if loop is not None:
            asyncio.run_coroutine_threadsafe(self._judge.close(), loop).result()
            loop.call_soon_threadsafe(loop.stop)
            self._thread.join()
            loop.close()

    def _running(self) -> asyncio.AbstractEventLoop:
        with self._starting:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(
                    target=self._loop.run_forever, name="genprm-rewards", daemon=True
                )
                self._thread.start()
                atexit.register(self.close)
            return self._loop
