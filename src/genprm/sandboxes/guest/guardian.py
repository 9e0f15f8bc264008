"""The process between the host program and the supervisor; it makes sure that both end together.

    host ── guardian ── supervisor ──┬── template       (bare: in a PID namespace where the host
                                     └── session …       is root; adopted when orphaned elsewhere)
    host ── guardian ── bwrap ── supervisor ── …        (bubblewrap: always in a PID namespace)

It runs no snippets and communicates with nobody. It waits until the host program or the supervisor
ends, by whatever means. Then it kills all remaining processes below it, waits until the kernel
reports that none is left, and exits.

If the guardian itself is killed, the supervisor notices that a pipe (the *lifeline*) is closed, and
ends its children in the same way; in a PID namespace the kernel also ends all of them.
"""

import os
import select
import signal
from contextlib import suppress
from itertools import pairwise
from typing import NoReturn

from genprm.sandboxes.guest import reaping
from genprm.sandboxes.kernel import lockdown


def main(host_pid: str, own_namespace: str, *command: str) -> NoReturn:
    """Start `command` with the lifeline's descriptor as its last argument, and guard it.

    Args:
        host_pid: the process id of the host program, our parent.
        own_namespace: "1" to start the command as the first process of a PID namespace, if the
            kernel allows it.
        command: the supervisor's command line.
    """
    host = os.pidfd_open(int(host_pid))
    if os.getppid() != int(host_pid):  # it ended before we looked
        os._exit(0)
    reaping.adopt_orphans()
    lifeline, ours = os.pipe()
    if own_namespace == "1":
        lockdown.new_pid_namespace()
    supervisor = os.fork()
    if supervisor == 0:
        _become(command, lifeline)
    _close_all_but(host, ours)
    poll = select.poll()
    for fd in (host, os.pidfd_open(supervisor)):
        poll.register(fd, select.POLLIN)
    poll.poll()
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(supervisor, signal.SIGKILL)  # not waited for yet, so that the number is its own
    reaping.kill_and_reap_all()
    os._exit(0)


def _become(command: tuple[str, ...], lifeline: int) -> NoReturn:
    os.setpgid(0, 0)
    with suppress(OSError), open("/proc/self/oom_score_adj", "w") as score:
        score.write("1000")  # the first to go when the machine's memory is short
    os.set_inheritable(lifeline, True)
    try:
        os.execv(command[0], [*command, str(lifeline)])
    except OSError as error:
        os.write(2, f"{command[0]}: {error.strerror}\n".encode())
        os._exit(1)


def _close_all_but(*kept: int) -> None:
    """The supervisor's descriptors are its own: with a copy here, their ends would go unnoticed."""
    bounds = [2, *sorted(kept), os.sysconf("SC_OPEN_MAX")]
    for low, high in pairwise(bounds):
        os.closerange(low + 1, high)
