"""A process that compares formulas and can be killed: `answer`'s hands.

SymPy runs arbitrary simplifications on what a model wrote: it may loop for ever inside C code,
where no exception reaches it, or ask for all memory. So every comparison runs in a child, the
program `genprm.answer.child`, which has shut itself in (no files, no network, no new processes,
bounded memory); the parent kills it when its time is up and starts another when it is next needed.
"""

import contextlib
import json
import os
import select
import subprocess
import sys
import time
from typing import IO, NamedTuple

_START_SECONDS = 120.0  # importing SymPy on a loaded machine
_PROGRAM = "genprm.answer.child"


class Outcome(NamedTuple):
    """`match` is equal, different or undecided; `cause` says why undecided."""

    match: str
    cause: str | None = None


class WorkerProcess:
    """One child, started at the first comparison and after every loss. Not thread-safe."""

    def __init__(self, timeout: float) -> None:
        self._timeout = timeout
        self._child: subprocess.Popen[bytes] | None = None

    def compare(self, gold: str, answer: str) -> Outcome:
        """Ask the child; a hang or a crash is an undecided outcome, not an error."""
        child = self._child or self._start()
        if child is None:
            return Outcome("undecided", "the comparison process does not start")
        assert child.stdin is not None
        assert child.stdout is not None
        request = json.dumps({"gold": gold, "answer": answer}) + "\n"
        try:
            child.stdin.write(request.encode())
            child.stdin.flush()
            line = _read_line(child.stdout, self._timeout)
        except BrokenPipeError:
            line = b""
        if line:
            return Outcome(**json.loads(line))
        self.close()
        if line is None:
            return Outcome("undecided", f"time-out after {self._timeout:g} s")
        return Outcome("undecided", "the comparison process died")

    def close(self) -> None:
        """Kill the child. Idempotent."""
        child, self._child = self._child, None
        if child is None:
            return
        child.kill()
        child.wait()
        for pipe in (child.stdin, child.stdout):
            if pipe is not None:
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()

    def _start(self) -> subprocess.Popen[bytes] | None:
        self._child = subprocess.Popen(
            [sys.executable, "-m", _PROGRAM],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            start_new_session=True,  # Ctrl-C belongs to the parent, which closes us
        )
        assert self._child.stdout is not None
        if not _read_line(self._child.stdout, _START_SECONDS):
            self.close()
        return self._child

    def __del__(self) -> None:
        self.close()


def _read_line(pipe: IO[bytes], timeout: float) -> bytes | None:
    """One line; b"" when the writer is gone, None when the time is up."""
    deadline = time.monotonic() + timeout
    line = b""
    while not line.endswith(b"\n"):
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([pipe], [], [], left)[0]:
            return None
        chunk = os.read(pipe.fileno(), 65536)
        if not chunk:
            return b""
        line += chunk
    return line
