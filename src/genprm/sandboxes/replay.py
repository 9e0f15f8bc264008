"""Records what ran in a namespace, and rebuilds a lost namespace from the record.

A snippet that ended by itself ends again at the same place. One that was stopped by the time or
memory limit cannot be repeated exactly, so it is not part of the history.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from genprm.sandbox import RunResult, RunStatus

REPLAY_BUDGET = 2.0  # seconds that rebuilding a namespace may take
_REPLAYABLE = frozenset({RunStatus.OK, RunStatus.ERROR, RunStatus.EXIT, RunStatus.OUTPUT_LIMIT})

Run = Callable[[str, float], Awaitable[RunResult]]  # code, seconds


@dataclass(frozen=True, slots=True)
class Snippet:
    """A snippet that changed a namespace."""

    code: str
    status: RunStatus
    duration: float  # seconds


class History:
    """The snippets of one namespace, in order."""

    def __init__(self, snippets: Sequence[Snippet] = ()) -> None:
        self._snippets = list(snippets)

    def __bool__(self) -> bool:
        return bool(self._snippets)

    def copy(self) -> "History":
        """An independent history with the same snippets."""
        return History(self._snippets)

    def record(self, code: str, result: RunResult) -> None:
        """Add a snippet that ran in the namespace, if it can be repeated."""
        if result.status in _REPLAYABLE:
            self._snippets.append(Snippet(code, result.status, result.duration))

    def forget(self) -> None:
        """Forget all snippets, because the namespace is empty again."""
        self._snippets.clear()

    def is_affordable(self, budget: float) -> bool:
        """Whether running everything again should take no more than `budget` seconds."""
        return sum(snippet.duration for snippet in self._snippets) <= budget

    async def replay(self, run: Run, budget: float) -> bool:
        """Run every snippet again, and return whether each ended as the first time, in time."""
        for snippet in self._snippets:
            result = await run(snippet.code, max(budget, 0.001))
            budget -= result.duration
            if result.namespace_lost or result.status is not snippet.status:
                return False
        return True
