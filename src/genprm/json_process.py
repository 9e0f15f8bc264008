"""A child process that answers JSON requests, one a line, and can be killed.

It is for work on foreign text that may loop forever or use up all memory. The child confines itself
as far as its work allows; the parent kills it when its time is up, and starts another one when it
is next needed. The child writes one line when it is ready, and ends when its standard input does.
"""

import contextlib
import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Mapping
from typing import IO

from pydantic import JsonValue

_START_SECONDS = 120.0  # imports on a loaded machine


class ChildLost(Exception):
    """The child gave no answer: it did not start, it died, or its time was up."""


class JsonProcess:
    """The program `module`, started for the first request and after every loss. Not thread-safe.

    `seconds` is how long one request may take.
    """

    def __init__(self, module: str, seconds: float) -> None:
        self._module = module
        self._seconds = seconds
        self._child: subprocess.Popen[bytes] | None = None
        self._owner = os.getpid()

    def ask(
        self, request: Mapping[str, JsonValue], *, seconds: float | None = None
    ) -> dict[str, JsonValue]:
        """The child's answer; `seconds` replaces the time limit for this request.

        Raises:
            ChildLost: there is no answer; the message says why.
        """
        if self._owner != os.getpid():  # the child of the process that forked belongs to it
            self._child, self._owner = None, os.getpid()
        seconds = self._seconds if seconds is None else seconds
        child = self._child or self._start()
        assert child.stdin is not None
        assert child.stdout is not None
        try:
            child.stdin.write(json.dumps(request).encode() + b"\n")
            child.stdin.flush()
            line = _read_line(child.stdout, seconds)
        except BrokenPipeError:
            line = b""
        if line:
            answer: dict[str, JsonValue] = json.loads(line)
            return answer
        self.close()
        raise ChildLost("died" if line is not None else f"time-out after {seconds:g} s")

    def close(self) -> None:
        """Kill the child. Idempotent."""
        child, self._child = self._child, None
        if child is None or self._owner != os.getpid():
            return
        child.kill()
        child.wait()
        for pipe in (child.stdin, child.stdout):
            if pipe is not None:
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()

    def _start(self) -> subprocess.Popen[bytes]:
        self._child = child = subprocess.Popen(
            [sys.executable, "-m", self._module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            start_new_session=True,  # Ctrl-C belongs to the parent, which closes us
        )
        assert child.stdout is not None
        if not _read_line(child.stdout, _START_SECONDS):
            self.close()
            raise ChildLost("does not start")
        return child

    def __del__(self) -> None:
        self.close()


def _read_line(pipe: IO[bytes], timeout: float) -> bytes | None:
    """One line; b"" if the writer is gone, None if the time is up."""
    deadline = time.monotonic() + timeout
    line = bytearray()
    while not line.endswith(b"\n"):
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([pipe], [], [], left)[0]:
            return None
        chunk = os.read(pipe.fileno(), 65536)
        if not chunk:
            return b""
        line += chunk
    return bytes(line)
