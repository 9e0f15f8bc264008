"""The host's end of one session process: requests, replies, time limits, and its exit."""

import asyncio
import os
import secrets
import signal
import socket
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from genprm.sandbox import RunResult, RunStatus
from genprm.sandboxes.guest import protocol
from genprm.sandboxes.guest.protocol import Done, Ending, Frame, FrameReader, Kind, ProtocolError

GRACE = 0.5  # seconds between the time-out inside the process and the kill from outside
SHORTEST, LONGEST = 0.001, 1e8  # seconds that a timer can be set to
_CHUNK = 1 << 16
_MOST_PARTIALS = 2

_STATUS = {
    Ending.OK: RunStatus.OK,
    Ending.ERROR: RunStatus.ERROR,
    Ending.TIMEOUT: RunStatus.TIMEOUT,
    Ending.MEMORY: RunStatus.MEMORY,
    Ending.OUTPUT_LIMIT: RunStatus.OUTPUT_LIMIT,
    Ending.EXIT: RunStatus.EXIT,
}

Reply = Done | int | None  # how a snippet ended, errno of a copy, or None: the process died


@dataclass(frozen=True, slots=True)
class Request:
    """The one open request of a process."""

    serial: int  # random, so that a reply cannot be written in advance
    reply_kind: Kind
    reply: asyncio.Future[Reply]


class SessionProcess:
    """One process and the channel to it. Requests do not overlap.

    The supervisor reports its exit with the wait status (`on_exit`); the end of the channel alone
    only means that the process can no longer be used.
    """

    def __init__(self, token: int, channel: socket.socket) -> None:
        channel.setblocking(False)
        self._loop = asyncio.get_running_loop()
        self.token = token
        self.registered: asyncio.Future[None] = self._loop.create_future()
        self.copying = asyncio.Lock()  # held by whoever wants a copy of it
        self.is_dead = False
        self.inherited = 0  # bytes that those it is a copy of had touched
        self._channel = channel
        self._reader = FrameReader()
        self._is_forger = False  # once it sent what nobody asked for, nothing is believed
        self._request: Request | None = None
        self._partial = b""  # stdout at the time-out, or before os._exit
        self._partials = 0
        self._pidfd: int | None = None
        self._kill_reason: str | None = None  # why we killed it
        self._wait_status = 0
        self._loop.add_reader(channel, self._on_readable)

    # --- requests ---

    async def run(self, code: str, timeout: float) -> RunResult:
        """Run one snippet. `namespace_lost` says whether the process died."""
        timeout = min(max(timeout, SHORTEST), LONGEST)
        self._partial, self._partials = b"", 0
        serial = secrets.randbits(64)
        started = self._loop.time()
        request = protocol.run_request(serial, code, timeout)
        reply = await self._exchange(serial, Kind.DONE, request, limit=timeout + GRACE)
        duration = self._loop.time() - started
        if isinstance(reply, Done):
            return RunResult(reply.stdout, _STATUS[reply.ending], reply.error or None, duration)
        return self._result_of_exit(duration)

    async def fork(self, token: int, channel: int, limit: float) -> bool:
        """Ask the process for a copy that serves `channel`; return whether it reports success.

        It is killed if it does not answer within `limit` seconds.
        """
        serial = secrets.randbits(64)
        request = protocol.fork_request(serial, token)
        errno = await self._exchange(serial, Kind.FORKED, request, [channel], limit=limit)
        return errno == 0

    async def _exchange(
        self,
        serial: int,
        reply_kind: Kind,
        data: bytes,
        descriptors: Sequence[int] = (),
        *,
        limit: float,
    ) -> Reply:
        if self.is_dead:
            return None
        self._request = Request(serial, reply_kind, self._loop.create_future())
        deadline = self._loop.call_later(limit, self.kill, TIMED_OUT)
        try:
            await self._send(data, descriptors)
            return await self._request.reply
        except BaseException:
            self.close()  # cancelled: what it is doing can no longer be told apart
            raise
        finally:
            deadline.cancel()
            self._request = None

    async def _send(self, data: bytes, descriptors: Sequence[int]) -> None:
        with suppress(OSError):  # dead or dying: `on_exit` resolves the request
            try:
                sent = socket.send_fds(self._channel, [data], descriptors)
            except BlockingIOError:
                sent = 0
            if sent < len(data):
                await self._loop.sock_sendall(self._channel, data[sent:])

    # --- what comes back ---

    def _on_readable(self) -> None:
        if self._is_forger:
            return
        try:
            data = self._channel.recv(_CHUNK)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._loop.remove_reader(self._channel)
            self.kill("closed its control channel")
            return
        try:
            for frame in self._reader.feed(data):
                self._on_frame(frame)
        except ProtocolError as error:
            self._is_forger = True
            self._loop.remove_reader(self._channel)
            self.kill(f"forged a reply: {error}")

    def _on_frame(self, frame: Frame) -> None:
        request = self._request
        if request is None or request.reply.done() or frame.serial != request.serial:
            raise ProtocolError("nobody asked for it")
        if frame.kind is Kind.OUTPUT:
            self._partial, self._partials = frame.payload, self._partials + 1
            if self._partials > _MOST_PARTIALS:
                raise ProtocolError("more output than a runner sends")
        elif frame.kind is not request.reply_kind:
            raise ProtocolError("it answers another question")
        elif frame.kind is Kind.DONE:
            request.reply.set_result(protocol.read_done(frame.payload))
        else:
            request.reply.set_result(protocol.read_errno(frame.payload))

    # --- start and exit ---

    @property
    def pid(self) -> int | None:
        """Its process id on the host; None before it has registered and after its exit."""
        return None if self._pidfd is None else pid_of(self._pidfd)

    def on_registered(self, pidfd: int) -> None:
        """Called when the supervisor knows which process it is."""
        self._pidfd = pidfd
        if self._kill_reason is not None:
            self.kill(self._kill_reason)
        if not self.registered.done():
            self.registered.set_result(None)

    def on_exit(self, wait_status: int) -> None:
        """Called when the supervisor has reaped it."""
        if self.is_dead:
            return
        for _ in range(3):  # what it sent last: one reply, one partial output, the end
            self._on_readable()
        self._wait_status = wait_status
        if self._request is not None and not self._request.reply.done():
            self._request.reply.set_result(None)
        self.close()

    def kill(self, reason: str) -> None:
        """Send SIGKILL, now or as soon as the process is known. The first reason is kept."""
        self._kill_reason = self._kill_reason or reason
        if self._pidfd is not None:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._pidfd, signal.SIGKILL)

    def close(self) -> None:
        """Kill the process without waiting for its exit."""
        if self.is_dead:
            return
        self.kill("closed")
        self.is_dead = True
        self._loop.remove_reader(self._channel)
        self._channel.shutdown(socket.SHUT_RDWR)  # a send that still waits for room fails
        self._channel.close()
        if self._pidfd is not None:
            os.close(self._pidfd)
            self._pidfd = None

    def _result_of_exit(self, duration: float) -> RunResult:
        """The result of a snippet whose process has ended."""
        stdout = self._partial.decode("utf-8", "replace")
        status, error = self._exit_status()
        return RunResult(stdout, status, error, duration, namespace_lost=True)

    def _exit_status(self) -> tuple[RunStatus, str]:
        if os.WIFEXITED(self._wait_status):
            return RunStatus.EXIT, f"SystemExit: {os.WEXITSTATUS(self._wait_status)}"
        number = os.WTERMSIG(self._wait_status)
        if number != signal.SIGKILL:
            return RunStatus.DIED, f"ProcessDied: {_signal_name(number)}"
        if self._kill_reason is None:
            return RunStatus.MEMORY, "MemoryError: killed by the kernel, probably out of memory"
        if self._kill_reason == TIMED_OUT:
            return RunStatus.TIMEOUT, "TimeLimit: Code execution timed out"
        if self._kill_reason == OVER_TOTAL_MEMORY:
            return RunStatus.MEMORY, f"MemoryError: killed, because {OVER_TOTAL_MEMORY}"
        return RunStatus.DIED, f"ProcessDied: it {self._kill_reason}"


TIMED_OUT = "ran out of time"
OVER_TOTAL_MEMORY = "all sessions of this sandbox together exceeded their memory limit"


def pid_of(pidfd: int) -> int | None:
    """The process id behind a pidfd; None if the process has ended."""
    with open(f"/proc/self/fdinfo/{pidfd}") as lines:
        fields = dict(line.split(":", 1) for line in lines)
    pid = int(fields["Pid"])
    return pid if pid > 0 else None


def _signal_name(number: int) -> str:
    if number == signal.SIGSYS:
        return "SIGSYS, a forbidden system call"
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
