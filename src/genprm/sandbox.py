"""Port: where model-written Python runs.

A backend hands out sessions; a session is one Python namespace that lives from snippet to
snippet (spec §2: "the namespace lives on from step to step of one solution") and can be copied,
so that each vote starts from the same history without seeing another vote's variables.

The port does not assume that the sandbox is a local process. Implementations: `genprm.sandboxes`.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, Self


class RunStatus(StrEnum):
    """How one snippet ended."""

    OK = "ok"
    ERROR = "error"  # raised; the namespace is kept
    TIMEOUT = "timeout"
    MEMORY = "memory"
    OUTPUT_LIMIT = "output_limit"
    EXIT = "exit"  # called sys.exit or os._exit
    DIED = "died"  # crashed, or was killed for a forbidden system call


@dataclass(frozen=True, slots=True)
class RunResult:
    """What one snippet printed and how it ended."""

    stdout: str
    status: RunStatus
    error: str | None = None  # "Type: message"
    duration: float = 0.0  # seconds, wall clock
    namespace_lost: bool = False  # True: earlier variables are gone and could not be rebuilt

    @property
    def text(self) -> str:
        """What the model reads in `[Code Output]`: stdout, then the error if there was one."""
        printed = self.stdout.strip()
        fault = self._fault()
        return "\n".join(part for part in (printed, fault) if part)

    @property
    def reference_text(self) -> str:
        """The authors' exact form (spec §2), which drops what was printed before an error."""
        return self._fault() or self.stdout.strip()

    def _fault(self) -> str:
        if self.status is RunStatus.OK:
            return ""
        if self.status is RunStatus.TIMEOUT:
            return "Code execute time out: Code execution timed out"
        return f"Code execute Error: {self.error or self.status.value}"


class SandboxSession(Protocol):
    """One namespace. Calls on one session do not overlap; sessions run concurrently."""

    async def run(self, code: str, timeout: float = 5.0) -> RunResult:
        """Run one snippet. Whatever the snippet does, it does not raise.

        Raises:
            SandboxError: the sandbox itself failed, or the session is closed.
        """
        ...

    async def fork(self) -> "SandboxSession":
        """An independent copy of the namespace as it is now.

        Raises:
            SandboxError: as for `run`.
        """
        ...

    async def close(self) -> None:
        """Discard the namespace. Idempotent."""
        ...

    async def __aenter__(self) -> Self: ...

    async def __aexit__(self, *_: object) -> None: ...


class SandboxBackend(Protocol):
    """Hands out sessions: `async with backend as box: async with box.session() as s: ...`."""

    def session(self) -> SandboxSession:
        """A new, empty namespace. The call is cheap; work may start only with the first `run`."""
        ...

    async def __aenter__(self) -> Self: ...

    async def __aexit__(self, *_: object) -> None: ...
