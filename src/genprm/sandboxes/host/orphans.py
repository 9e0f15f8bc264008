"""Processes of a sandbox that nobody has presented.

A session that dug out its runner can use the one clone it is permitted for a child that never
presents itself. The child is as locked down as its parent, but the host has no handle to kill it.
The host notices (a copy was permitted and none was born) and looks for it here, by kinship.
"""

import os
import signal
import time
from collections.abc import Collection
from contextlib import suppress


def children(pid: int) -> list[int]:
    """The children of a single-threaded process; empty where the kernel does not list them."""
    with suppress(OSError), open(f"/proc/{pid}/task/{pid}/children") as listed:
        return [int(child) for child in listed.read().split()]
    return []


def kill_children(parent: int, *, keep: Collection[int | None], min_age: float) -> None:
    """Kill the children of `parent`, except the eldest, those in `keep`, and those younger than
    `min_age` seconds, which may still present themselves.

    The eldest child of a supervisor is its template, which has no pidfd.
    """
    for child in children(parent)[1:]:
        if child in keep:
            continue
        with suppress(OSError):
            pidfd = os.pidfd_open(child)
            try:
                if _age(child) >= min_age:
                    signal.pidfd_send_signal(pidfd, signal.SIGKILL)
            finally:
                os.close(pidfd)


def _age(pid: int) -> float:
    """Seconds since a process started."""
    with open(f"/proc/{pid}/stat") as stat:
        fields = stat.read().rpartition(")")[2].split()
    started = int(fields[19]) / os.sysconf("SC_CLK_TCK")
    return time.clock_gettime(time.CLOCK_BOOTTIME) - started
