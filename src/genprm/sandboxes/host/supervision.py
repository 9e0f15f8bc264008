"""The host's end of the supervisor: starts it, makes processes, receives starts and exits."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import time
from contextlib import suppress

from genprm.errors import SandboxError
from genprm.sandboxes.guest import supervisor_protocol as protocol
from genprm.sandboxes.guest.supervisor_protocol import Config
from genprm.sandboxes.host import tiers
from genprm.sandboxes.host.copying import Copying
from genprm.sandboxes.host.memory import MemoryWatch
from genprm.sandboxes.host.process import SessionProcess, pid_of
from genprm.sandboxes.host.tiers import Tier

START_LIMIT = 20.0  # seconds until the supervisor has given up its privileges
IMPORT_LIMIT = 120.0  # seconds until the template is ready; imports from a cold disk are slow
STOP_LIMIT = 5.0  # seconds until the supervisor has ended by itself


class Supervision:
    """One running supervisor and the processes beneath it.

    Args:
        tier: the layers of isolation.
        config: the supervisor's configuration.
        total_memory: bytes that all sessions together may use.
    """

    def __init__(self, tier: Tier, config: Config, total_memory: int) -> None:
        loop = asyncio.get_running_loop()
        self._loop = loop
        self._greeted: asyncio.Future[None] = loop.create_future()
        self.layers: asyncio.Future[dict[str, int]] = loop.create_future()
        self.is_lost = False
        self._pidfd: int | None = None
        self._processes: dict[int, SessionProcess] = {}
        self._channel, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        template_channel, template_theirs = socket.socketpair()
        with theirs, template_theirs:
            descriptors = theirs.fileno(), template_theirs.fileno()
            self._program = subprocess.Popen(
                tiers.command(tier, config, *descriptors),
                pass_fds=descriptors,
                env=tiers.ENVIRONMENT,
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,  # written to only by what fails to start
                start_new_session=True,  # a Ctrl-C at the host's terminal is the host's business
            )
        self._template = SessionProcess(protocol.TEMPLATE_TOKEN, template_channel)
        self._processes[protocol.TEMPLATE_TOKEN] = self._template
        self._copying = Copying(self._template, self._processes, self._channel, self.pid)
        self._memory = MemoryWatch(total_memory)
        self._next_look = loop.call_soon(self._look_at_memory)
        self._channel.setblocking(False)
        loop.add_reader(self._channel, self._on_readable)

    @classmethod
    async def start(cls, tier: Tier, config: Config, total_memory: int) -> "Supervision":
        """Start a supervisor; it has given up its privileges, and the template is still importing.

        Raises:
            SandboxError: it did not start, or could not give up its privileges.
        """
        try:
            supervision = cls(tier, config, total_memory)
        except OSError as error:
            raise SandboxError(f"sandbox tier {tier.name}: {error}") from error
        try:
            async with asyncio.timeout(START_LIMIT):
                await supervision._greeted
        except TimeoutError:
            await supervision.stop()
            raise SandboxError(
                f"sandbox tier {tier.name}: no answer within {START_LIMIT:g} s"
            ) from None
        except SandboxError as error:
            await supervision.stop()
            raise SandboxError(
                f"sandbox tier {tier.name}: {supervision._last_error_line() or error}"
            ) from None
        return supervision

    def _last_error_line(self) -> str:
        assert self._program.stderr is not None
        lines = self._program.stderr.read().decode("utf-8", "replace").strip().splitlines()
        return lines[-1] if lines else ""

    def pid(self) -> int | None:
        """The supervisor's process id; None before it has started and after its exit."""
        return None if self._pidfd is None else pid_of(self._pidfd)

    # --- making processes ---

    async def new(self) -> SessionProcess:
        """A process with an empty namespace.

        Raises:
            SandboxError: the template could not be locked down, or the supervisor is gone.
        """
        try:
            async with asyncio.timeout(IMPORT_LIMIT):
                await asyncio.shield(self.layers)
        except TimeoutError:
            raise SandboxError("the sandbox's imports did not finish") from None
        process = await self.copy(self._template)
        if process is None:
            raise SandboxError(
                "the sandbox could not start a process in time; "
                "fix: free memory or processor time, or allow more processes"
            )
        return process

    async def copy(self, parent: SessionProcess) -> SessionProcess | None:
        """A process with a copy of the parent's memory; None if the parent does not cooperate.

        Cancelling this call does not affect the parent, which others may need.
        """
        copying = asyncio.create_task(self._copying.copy(parent))
        try:
            return await asyncio.shield(copying)
        except asyncio.CancelledError:
            copying.add_done_callback(self._drop_unwanted)
            raise

    def _drop_unwanted(self, copying: "asyncio.Task[SessionProcess | None]") -> None:
        if not copying.cancelled() and copying.exception() is None:
            child = copying.result()
            if child is not None:
                self.drop(child)

    def drop(self, process: SessionProcess) -> None:
        """Kill a process and forget it."""
        self._copying.drop(process)

    def _look_at_memory(self) -> None:
        sessions = [p for p in self._processes.values() if p is not self._template]
        wait = self._memory.look(self._template, sessions)
        self._next_look = self._loop.call_later(wait, self._look_at_memory)

    # --- starts and exits ---

    def _on_readable(self) -> None:
        try:
            packet, descriptors, _, _ = socket.recv_fds(self._channel, protocol.PACKET, 1)
        except BlockingIOError:
            return
        except OSError:
            packet, descriptors = b"", []
        if packet:
            self._on_packet(packet[:1], packet[1:], descriptors)
        else:
            self._on_loss("the sandbox's supervisor is gone")

    def _on_packet(self, kind: bytes, payload: bytes, descriptors: list[int]) -> None:
        if kind == protocol.HELLO and descriptors:
            self._pidfd = descriptors[0]
            self._greeted.set_result(None)
        elif kind == protocol.READY:
            self.layers.set_result(json.loads(payload))
        elif kind == protocol.FAILED:
            self._on_loss(payload.decode("utf-8", "replace"))
        elif kind == protocol.STARTED and descriptors:  # without: this process may open no more
            (token,) = protocol.REGISTRATION.unpack(payload)
            self._on_started(token, descriptors[0])
        elif kind == protocol.EXITED:
            token, wait_status = protocol.EXIT.unpack(payload)
            self._on_exited(token, wait_status)

    def _on_started(self, token: int, pidfd: int) -> None:
        child = self._processes.get(token)
        if child is None or child.is_dead:  # given up meanwhile
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(pidfd, signal.SIGKILL)
            os.close(pidfd)
            self._processes.pop(token, None)
        else:
            child.on_registered(pidfd)

    def _on_exited(self, token: int, wait_status: int) -> None:
        if token == protocol.TEMPLATE_TOKEN:
            self._on_loss("the sandbox's template process ended")
        elif (process := self._processes.pop(token, None)) is not None:
            process.on_exit(wait_status)

    def _on_loss(self, reason: str) -> None:
        self.is_lost = True
        self._loop.remove_reader(self._channel)
        self._next_look.cancel()
        for future in (self._greeted, self.layers):
            if not future.done():
                future.set_exception(SandboxError(reason))
                future.exception()  # whoever waits will hear of it; if nobody does, be quiet
        for process in self._processes.values():
            process.kill(f"was lost: {reason}")
            process.on_exit(9)
        self._processes.clear()
        if self._pidfd is not None:
            os.close(self._pidfd)
            self._pidfd = None

    async def stop(self) -> None:
        """Kill every process, and return when none is left."""
        for process in list(self._processes.values()):
            process.close()
        self._processes.clear()
        self._on_loss("the sandbox is closed")
        self._channel.close()
        deadline = time.monotonic() + STOP_LIMIT
        while self._program.poll() is None:  # no executor takes work while the interpreter exits
            if time.monotonic() > deadline:
                self._program.kill()
            await asyncio.sleep(0.005)
