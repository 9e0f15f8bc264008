"""The sandbox's first process: starts the template, permits copies, reaps, and cleans up.

    host ──┬── guardian ── supervisor ──┬── template   (a pristine session that is only ever copied)
           │                            ├── session     copies are siblings, not children, of what
           │                            └── session     they are copies of: all have one parent
           └── a channel to each session

It runs no snippets and imports nothing heavy. It gives up root before it starts anything, and it
communicates only with the host, through `supervisor_protocol`.

When the host ends, by whatever means, the channel is closed; when the guardian ends, the lifeline
is closed. In both cases the supervisor kills all its children, registered or not, and exits when
none is left. If it is killed itself, the guardian does that, and in a PID namespace the kernel.
"""

import fcntl
import os
import select
import signal
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import NoReturn

from genprm.sandboxes.guest import reaping
from genprm.sandboxes.guest.supervisor_protocol import (
    EXIT,
    EXITED,
    FAILED,
    HELLO,
    HOST,
    LIFELINE,
    PACKET,
    PERMISSION,
    READY,
    REGISTRATION,
    STARTED,
    TEMPLATE,
    TEMPLATE_TOKEN,
    Config,
)
from genprm.sandboxes.guest.template import become_template
from genprm.sandboxes.kernel import lockdown
from genprm.sandboxes.kernel.notification import Listener, Request
from genprm.sandboxes.kernel.seccomp import architecture

_DESCRIPTOR = struct.Struct("@i")
_CREDENTIALS = struct.Struct("@iII")  # pid, uid, gid, as the kernel saw the sender
_SENDER = 2  # SCM_CREDENTIALS


def main(config_json: str, host_fd: str, template_fd: str, lifeline_fd: str) -> NoReturn:
    """Run until the host has ended. The arguments are the command line."""
    config = Config.from_json(config_json)
    _keep_only(int(host_fd), int(template_fd), int(lifeline_fd))
    host = socket.socket(fileno=HOST)
    try:
        lockdown.give_up_root(config.readable)
        if _is_first_of_namespace():
            lockdown.end_with_parent()
        reaping.adopt_orphans()
        _start_template_and_supervise(config, host)
    except OSError as error:
        _send(host, FAILED, str(error).encode())
    os._exit(1)


def _start_template_and_supervise(config: Config, host: socket.socket) -> NoReturn:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
    pid = os.fork()
    if pid == 0:
        ours.close()
        os.dup2(1, 2)
        become_template(config, theirs)
    theirs.close()
    os.close(TEMPLATE)
    os.dup2(1, 2)  # nothing but what went wrong until here is for the host to read
    with _pidfd(os.getpid()) as itself:
        _send(host, HELLO, b"", itself)
    supervisor = Supervisor(host, ours)
    supervisor.register(TEMPLATE_TOKEN, pid)
    supervisor.run()


def _keep_only(*channels: int) -> None:
    """Move the channels to their descriptors, and close all others."""
    beyond = max(*channels, LIFELINE) + 1
    moved = [fcntl.fcntl(fd, fcntl.F_DUPFD, beyond) for fd in channels]
    for fd, place in zip(moved, (HOST, TEMPLATE, LIFELINE), strict=True):
        os.dup2(fd, place)
    os.closerange(LIFELINE + 1, os.sysconf("SC_OPEN_MAX"))


def _is_first_of_namespace() -> bool:
    return os.getpid() == 1


class Supervisor:
    """Which processes run, which may be copied, and which copies have not registered yet."""

    def __init__(self, host: socket.socket, handover: socket.socket) -> None:
        self._host = host
        self._handover = handover
        self._listener: Listener | None = None
        self._tokens: dict[int, int] = {}  # pid -> token
        self._permitted: dict[int, int] = {}  # parent's token -> child's token
        self._expected: set[int] = set()  # tokens of copies that were made
        self._exits = self._watch_children()

    def run(self) -> NoReturn:
        """Handle events until the host or the guardian has ended."""
        poll = select.poll()
        for fd in (HOST, LIFELINE, self._handover.fileno(), self._exits):
            poll.register(fd, select.POLLIN)
        while True:
            ready = {fd for fd, _ in poll.poll()}
            self._hear_host()  # first: a permission is always sent before the copy is asked for
            if LIFELINE in ready:
                self._end()
            if self._exits in ready:
                self._reap()
            if self._handover.fileno() in ready:
                self._hear_template()
                if self._listener is not None:
                    poll.unregister(self._handover)
                    poll.register(self._listener.fd, select.POLLIN)
            elif self._listener is not None and self._listener.fd in ready:
                self._decide(self._listener)

    # --- the host ---

    def _hear_host(self) -> None:
        with suppress(BlockingIOError):
            while packet := self._host.recv(PACKET, socket.MSG_DONTWAIT):
                parent, child = PERMISSION.unpack(packet[1:])
                self._permitted[parent] = child
            self._end()

    def _tell_host(self, kind: bytes, payload: bytes, descriptor: int | None = None) -> None:
        try:
            _send(self._host, kind, payload, descriptor)
        except OSError:
            self._end()

    def _end(self) -> NoReturn:
        if not _is_first_of_namespace():  # there the kernel ends all that is in it
            reaping.kill_and_reap_all()
        os._exit(0)

    # --- the template ---

    def _hear_template(self) -> None:
        size = socket.CMSG_SPACE(_DESCRIPTOR.size) + socket.CMSG_SPACE(_CREDENTIALS.size)
        text, ancillary, _, _ = self._handover.recvmsg(PACKET, size)
        attached = {kind: data for _, kind, data in ancillary}
        if socket.SCM_RIGHTS in attached:
            (fd,) = _DESCRIPTOR.unpack_from(attached[socket.SCM_RIGHTS])
            self._listener = Listener(fd)
        if len(text) == REGISTRATION.size:
            (token,) = REGISTRATION.unpack(text)
            pid, _, _ = _CREDENTIALS.unpack(attached[_SENDER])
            self._register_unsupervised(token, pid)
        elif text.startswith(b"{"):
            self._tell_host(READY, text)
        else:
            self._tell_host(FAILED, text or b"the template process died while starting")
            self._end()

    # --- copies ---

    def _decide(self, listener: Listener) -> None:
        request = listener.receive()
        arch = architecture()
        if request is None or arch is None:
            return
        if request.number == arch.number("clone"):
            self._decide_copy(listener, request)
        else:
            self._decide_registration(listener, request)

    def _decide_copy(self, listener: Listener, request: Request) -> None:
        child = self._permitted.pop(self._tokens.get(request.pid, -1), None)
        if child is None:
            listener.refuse(request)
        else:
            self._expected.add(child)
            listener.proceed(request)

    def _decide_registration(self, listener: Listener, request: Request) -> None:
        token = request.arguments[0]
        if token not in self._expected or request.pid in self._tokens:
            listener.refuse(request)
            return
        # The caller waits, so the pid is still its own; and only we could have reaped it.
        if listener.is_waiting(request):
            self._expected.discard(token)
            self.register(token, request.pid)
            listener.answer(request, 0)

    def _register_unsupervised(self, token: int, pid: int) -> None:
        """Register without seccomp, where the sender's credentials prove which process it is."""
        parents = [parent for parent, child in self._permitted.items() if child == token]
        if parents and pid not in self._tokens:
            del self._permitted[parents[0]]
            self.register(token, pid)

    def register(self, token: int, pid: int) -> None:
        """Record which child is the process that the host knows by `token`."""
        self._tokens[pid] = token
        with _pidfd(pid) as pidfd:
            self._tell_host(STARTED, REGISTRATION.pack(token), pidfd)

    # --- exits ---

    def _watch_children(self) -> int:
        reader, writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        return reader

    def _reap(self) -> None:
        with suppress(BlockingIOError):
            os.read(self._exits, PACKET)
        with suppress(ChildProcessError):
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if pid == 0:
                    break
                token = self._tokens.pop(pid, None)
                if token is not None:
                    self._permitted.pop(token, None)
                    self._tell_host(EXITED, EXIT.pack(token, status))


@contextmanager
def _pidfd(pid: int) -> Iterator[int]:
    pidfd = os.pidfd_open(pid)
    try:
        yield pidfd
    finally:
        os.close(pidfd)


def _send(
    host: socket.socket, kind: bytes, payload: bytes = b"", descriptor: int | None = None
) -> None:
    socket.send_fds(host, [kind + payload[:PACKET]], [] if descriptor is None else [descriptor])
