"""A sandbox server in a process of its own."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SOURCES = Path(__file__).parents[2] / "src"


@contextmanager
def served(*options: str, port: int = 0) -> Iterator[tuple[str, "subprocess.Popen[str]"]]:
    """Its address, and the process."""
    server = subprocess.Popen(
        [sys.executable, "-m", "genprm", "sandbox", "serve", "--port", str(port), *options],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": f"{SOURCES}:{os.environ.get('PYTHONPATH', '')}"},
    )
    try:
        assert server.stderr is not None
        line = server.stderr.readline()
        assert " at http://" in line, line
        yield line.rpartition(" at ")[2].strip(), server
    finally:
        server.kill()
        server.wait()
