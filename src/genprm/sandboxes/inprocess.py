"""`exec` in the host's own process, as the reference does it; only for parity tests.

It isolates nothing: a snippet can patch the host's modules, end its run or ignore the time-out,
which is why the other backends exist. It blocks the event loop while it runs, its time-out is a
SIGALRM that works only in the main thread, and it is never chosen by default.
"""

import io
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from types import FrameType
from typing import Self

from genprm.errors import SandboxError
from genprm.sandbox import RunResult, RunStatus


class InProcessSession:
    """One namespace dictionary."""

    def __init__(self, past: Sequence[str] = ()) -> None:
        self._namespace: dict[str, object] = {"__name__": "__main__"}
        self._past: list[str] = []
        self._is_closed = False
        for code in past:
            self._execute(code, timeout=0)

    async def run(self, code: str, timeout: float = 5.0) -> RunResult:
        """See the port; the snippet can do anything to this process."""
        if self._is_closed:
            raise SandboxError("the sandbox session is closed")
        return self._execute(code, timeout)

    async def fork(self) -> "InProcessSession":
        """A copy, made by replay of everything so far."""
        return InProcessSession(self._past)

    async def close(self) -> None:
        """Discard the namespace."""
        self._is_closed = True

    def _execute(self, code: str, timeout: float) -> RunResult:
        self._past.append(code)
        stdout = io.StringIO()
        status, error = RunStatus.OK, None
        started = time.monotonic()
        try:
            with redirect_stdout(stdout), _time_limit(timeout):
                exec(code, self._namespace)
        except BaseException as fault:  # noqa: BLE001 - the snippet's own exception is its result
            status, error = _status(fault), f"{type(fault).__name__}: {fault}"
        return RunResult(stdout.getvalue(), status, error, time.monotonic() - started)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


class InProcess:
    """The backend without isolation."""

    def session(self) -> InProcessSession:
        """A fresh, empty namespace."""
        return InProcessSession()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        pass


class TimeLimit(BaseException):
    """The snippet's time is up."""


def _status(fault: BaseException) -> RunStatus:
    match fault:
        case TimeLimit():
            return RunStatus.TIMEOUT
        case MemoryError():
            return RunStatus.MEMORY
        case SystemExit():
            return RunStatus.EXIT
    return RunStatus.ERROR


@contextmanager
def _time_limit(seconds: float) -> Iterator[None]:
    def ring(_signum: int, _frame: FrameType | None) -> None:
        raise TimeLimit("Code execution timed out")

    previous = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)
