"""A limit on the memory of all sessions of a sandbox together.

Each session has its own limit (RLIMIT_AS), but many sessions could still fill the machine. The host
therefore adds up, a few times a second, how much memory each process can have touched since it was
copied from the template. This upper bound is cheap, but counts shared pages more than once. Only if
the sum exceeds the limit does it ask the kernel for true sizes, in which shared pages are divided
among their owners (PSS), and kill the largest processes until the rest fits.

Between two checks the sessions can grow by as much as the processors can touch in that time, so the
limit may be exceeded by about that much; the closer they are to it, the more often the host checks.
"""

import os
import time
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass

from genprm.sandboxes.host.process import OVER_TOTAL_MEMORY, SessionProcess

GROWTH = 2 << 30  # bytes a second that one processor can touch, roughly
SHORTEST_WAIT, LONGEST_WAIT = 0.05, 1.0  # seconds between two looks
_SHARE = 10  # looking for true sizes takes no more than one in so many of our seconds
_PAGE = os.sysconf("SC_PAGESIZE")
_CGROUP_LIMITS = (
    "/sys/fs/cgroup/memory.max",
    "/sys/fs/cgroup/memory/memory.limit_in_bytes",
)


def default_total() -> int:
    """Half of the memory of this machine or container, in bytes."""
    physical = _PAGE * os.sysconf("SC_PHYS_PAGES")
    limits = [physical]
    for path in _CGROUP_LIMITS:
        with suppress(OSError, ValueError), open(path) as limit:
            limits.append(int(limit.read()))
    return min(limits) // 2


@dataclass(frozen=True, slots=True)
class Usage:
    """The kernel's memory counters of one process."""

    resident: int  # bytes, shared ones included
    touched: int  # bytes that it faulted in since it was made


def usage(pid: int) -> Usage | None:
    """The counters of a process; None if it has ended."""
    try:
        with open(f"/proc/{pid}/stat") as stat:
            fields = stat.read().rpartition(")")[2].split()
    except OSError:
        return None
    return Usage(int(fields[21]) * _PAGE, int(fields[7]) * _PAGE)


def bound(own: Usage, template: Usage, inherited: int) -> int:
    """An upper bound of a session's memory beyond the template's, in bytes.

    It consists of its growth and of what it, or the sessions that it was copied from, have touched;
    it is never more than what is resident.
    """
    grown = max(0, own.resident - template.resident)
    return min(own.resident, grown + own.touched + inherited)


def true_size(pid: int) -> int | None:
    """Bytes of a process, with shared pages divided among owners; None if it cannot be read."""
    with suppress(OSError, ValueError), open(f"/proc/{pid}/smaps_rollup") as lines:
        fields = dict(line.split(":", 1) for line in lines if ":" in line.split(" ", 1)[0])
        return 1024 * sum(int(fields[name].split()[0]) for name in ("Pss", "SwapPss"))
    return None


class MemoryWatch:
    """Keeps the sessions of one supervisor within `limit` bytes."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._growth = GROWTH * (os.cpu_count() or 1)

    def look(self, template: SessionProcess, sessions: Collection[SessionProcess]) -> float:
        """Kill sessions beyond the limit, and return the seconds until the next check."""
        pid = template.pid
        base = None if pid is None else usage(pid)
        if base is None:
            return LONGEST_WAIT
        bounds = {session: _bound(session, base) for session in sessions}
        room = self._limit - sum(bounds.values())
        if room < 0:
            started = time.monotonic()
            sizes = {session: _size(session, most) for session, most in bounds.items()}
            self._kill_largest(sizes)
            return max(SHORTEST_WAIT, _SHARE * (time.monotonic() - started))
        return min(LONGEST_WAIT, max(SHORTEST_WAIT, room / self._growth))

    def _kill_largest(self, sizes: dict[SessionProcess, int]) -> None:
        total = sum(sizes.values())
        for session in sorted(sizes, key=sizes.__getitem__, reverse=True):
            if total <= self._limit:
                return
            session.kill(OVER_TOTAL_MEMORY)
            total -= sizes[session]


def touched(process: SessionProcess) -> int:
    """The touched memory that a copy of this process inherits, in bytes."""
    pid = process.pid
    own = None if pid is None else usage(pid)
    return process.inherited + (0 if own is None else own.touched)


def _bound(session: SessionProcess, template: Usage) -> int:
    pid = session.pid
    own = None if pid is None else usage(pid)
    return 0 if own is None else bound(own, template, session.inherited)


def _size(session: SessionProcess, most: int) -> int:
    pid = session.pid
    size = None if pid is None else true_size(pid)
    return most if size is None else size
