"""Ends every child of this process, whoever started it, until the kernel reports none."""

import os
import signal
from contextlib import suppress


def adopt_orphans() -> None:
    """Become the parent of every descendant whose own parent ends (PR_SET_CHILD_SUBREAPER)."""
    import ctypes

    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def children(pid: int | str) -> list[int]:
    """The children of a single-threaded process, oldest first; empty if /proc is missing."""
    try:
        with open(f"/proc/{pid}/task/{pid}/children") as listed:
            return [int(child) for child in listed.read().split()]
    except OSError:
        return _children_by_scan(int(pid))


def kill_and_reap_all() -> None:
    """SIGKILL every child and wait for it, until there is none (ECHILD).

    If this process adopts orphans, it inherits its children's children when they end, and kills
    them in the next round. No pid can be reused meanwhile, since no child has been waited for.
    """
    while True:
        for child in children(os.getpid()):
            with suppress(OSError):
                os.waitid(os.P_PID, child, _LOOK)  # fails where /proc counts in another namespace
                os.kill(child, signal.SIGKILL)
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


_PR_SET_CHILD_SUBREAPER = 36
_LOOK = os.WEXITED | os.WNOHANG | os.WNOWAIT


def _children_by_scan(pid: int) -> list[int]:
    """The children, on kernels without CONFIG_PROC_CHILDREN."""
    found = []
    with suppress(OSError):
        for entry in os.listdir("/proc"):
            if entry.isdigit() and _parent(entry) == pid:
                found.append(int(entry))
    return sorted(found)


def _parent(pid: str) -> int | None:
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return int(stat.read().rpartition(")")[2].split()[1])
    except OSError:
        return None
