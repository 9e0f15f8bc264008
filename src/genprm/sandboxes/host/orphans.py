"""Children of a supervisor that the host does not know: copies that never registered.

A session that controls its runner can use the one clone it is permitted to make for a child that
never registers. The child is as locked down as its parent, but the host has no handle to kill it.
The host notices this (a copy was permitted, and none registered) and searches for the child here,
by its parent.
"""

import os
import signal
import time
from collections.abc import Collection
from contextlib import suppress

from genprm.sandboxes.guest.reaping import children

_TICK = 1 / os.sysconf("SC_CLK_TCK")


def now() -> float:
    """Seconds on the clock that is used for the start times of processes."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def kill_orphans(supervisor: int, *, known: Collection[int | None], started_before: float) -> bool:
    """Kill the children of `supervisor` that are not `known`; return whether any are left.

    Children that started after `started_before` (see `now`) are not killed, because they may be
    copies that are about to register.
    """
    unknown = [child for child in children(supervisor) if child not in known]
    for child in unknown:
        with suppress(OSError):
            pidfd = os.pidfd_open(child)
            try:
                if _started(child) + _TICK < started_before:
                    signal.pidfd_send_signal(pidfd, signal.SIGKILL)
            finally:
                os.close(pidfd)
    return bool(unknown)


def _started(pid: int) -> float:
    with open(f"/proc/{pid}/stat") as stat:
        fields = stat.read().rpartition(")")[2].split()
    return int(fields[19]) * _TICK
