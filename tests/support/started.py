"""A command of genprm that serves, as a process of its own."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest


@contextmanager
def started(*words: str) -> Iterator[str]:
    """The address of `genprm WORDS…`, which listens on a free port."""
    command = [sys.executable, "-m", "genprm", *words, "--port", "0"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    try:
        for line in process.stderr:
            if "http://" in line:
                yield line[line.index("http://") :].strip()
                break
        else:
            pytest.fail(f"{words[0]} ended with {process.wait()}")
    finally:
        process.terminate()
        process.wait(timeout=20)
