"""A worker without a supervisor that confines itself."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from genprm.sandboxes.kernel import landlock, seccomp

SOURCES = Path(__file__).parents[2] / "src"

WORKER = """
import json, os, socket, sys, threading
from genprm.sandboxes.kernel import lockdown
layers = lockdown.confine_self([os.path.dirname(os.__file__)], memory=256 << 20)
def attempt(action):
    try:
        action()
    except BaseException as error:
        return type(error).__name__
    return "done"
print(json.dumps({
    "layers": sorted(layers),
    "file": attempt(lambda: open("/etc/passwd")),
    "network": attempt(lambda: socket.socket()),
    "process": attempt(os.fork),
    "program": attempt(lambda: os.execv("/bin/true", ["true"])),
    "thread": attempt(lambda: threading.Thread(target=print).start()),
    "signal": attempt(lambda: os.kill(os.getppid(), 0)),
    "memory": attempt(lambda: bytearray(1 << 30)),
    "import": attempt(lambda: __import__("colorsys")),
}))
"""


def test_a_worker_confines_itself() -> None:
    if landlock.abi() == 0 or not seccomp.is_supported():
        pytest.skip("this kernel lacks Landlock or seccomp")
    worker = subprocess.run(
        [sys.executable, "-c", WORKER],
        env={"PYTHONPATH": str(SOURCES)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert worker.returncode == 0, worker.stderr
    assert json.loads(worker.stdout) == {
        "layers": ["files", "limits", "system calls"],
        "file": "PermissionError",
        "network": "PermissionError",
        "process": "PermissionError",
        "program": "PermissionError",
        "thread": "RuntimeError",
        "signal": "PermissionError",
        "memory": "MemoryError",
        "import": "done",
    }
