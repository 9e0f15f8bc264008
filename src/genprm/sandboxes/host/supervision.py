"""The host's end of the supervisor: starting it, making processes, hearing of births and deaths."""

import asyncio
import json
import os
import resource
import secrets
import socket
import subprocess
import time

from genprm.errors import SandboxError
from genprm.sandboxes.guest import supervisor_protocol as protocol
from genprm.sandboxes.guest.supervisor_protocol import Config
from genprm.sandboxes.host import orphans, tiers
from genprm.sandboxes.host.process import SessionProcess
from genprm.sandboxes.host.tiers import Tier

START_LIMIT = 20.0  # seconds until the supervisor has given up its privileges
IMPORT_LIMIT = 120.0  # seconds until the template is ready; imports from a cold disk are slow
BIRTH_LIMIT = 10.0  # seconds until a copy has presented itself
_CLONES_AT_ONCE = 8  # so that no packet to the supervisor ever has to wait for room


class Supervision:
    """One running supervisor and the processes beneath it."""

    def __init__(self, tier: Tier, config: Config) -> None:
        loop = asyncio.get_running_loop()
        self._loop = loop
        self._tier = tier
        self._greeted: asyncio.Future[None] = loop.create_future()
        self.layers: asyncio.Future[dict[str, int]] = loop.create_future()
        self.is_lost = False
        self._cloning = asyncio.Semaphore(_CLONES_AT_ONCE)
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
        self._channel.setblocking(False)
        loop.add_reader(self._channel, self._on_readable)

    @classmethod
    async def start(cls, tier: Tier, config: Config) -> "Supervision":
        """A supervisor that has given up its privileges; the template still imports.

        Raises:
            SandboxError: it did not start, or could not give them up.
        """
        try:
            supervision = cls(tier, config)
        except OSError as error:
            raise SandboxError(f"sandbox tier {tier.name}: {error}") from error
        try:
            async with asyncio.timeout(START_LIMIT):
                await supervision._greeted
        except TimeoutError:
            await supervision.stop()
            raise SandboxError(f"sandbox tier {tier.name}: no sign of life") from None
        except SandboxError as error:
            await supervision.stop()
            raise SandboxError(
                f"sandbox tier {tier.name}: {supervision._last_words() or error}"
            ) from None
        return supervision

    def _last_words(self) -> str:
        assert self._program.stderr is not None
        lines = self._program.stderr.read().decode("utf-8", "replace").strip().splitlines()
        return lines[-1] if lines else ""

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
            raise SandboxError("the sandbox's imports did not end") from None
        process = await self.copy(self._template)
        if process is None:
            raise SandboxError("the sandbox cannot make processes; fix: free memory or pids")
        return process

    async def copy(self, parent: SessionProcess) -> SessionProcess | None:
        """A process with a copy of the parent's memory; None when the parent does not play.

        Cancelling this does not disturb the parent, which others may need.
        """
        copying = asyncio.create_task(self._copy(parent))
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

    async def _copy(self, parent: SessionProcess) -> SessionProcess | None:
        try:
            ours, theirs = socket.socketpair()
        except OSError as error:
            raise SandboxError(f"{error}; fix: ulimit -n {2 * _soft_limit()}") from error
        token = secrets.randbits(63)
        child = self._processes[token] = SessionProcess(token, ours)
        try:
            with theirs:
                async with self._cloning, parent.copying:
                    self._permit(parent.token, token)
                    if not await parent.fork(token, theirs.fileno()):
                        raise TimeoutError
            async with asyncio.timeout(BIRTH_LIMIT):
                await child.born
        except (TimeoutError, OSError):
            self.drop(child)
            parent.kill("did not copy itself as it was asked to")
            self._kill_orphans()
            return None
        except BaseException:
            self.drop(child)
            raise
        return child

    def _permit(self, parent: int, child: int) -> None:
        self._channel.send(protocol.PERMIT + protocol.PERMISSION.pack(parent, child))

    def drop(self, process: SessionProcess) -> None:
        """Kill a process and forget it."""
        process.close()
        if process.born.done():
            self._processes.pop(process.token, None)

    def _kill_orphans(self) -> None:
        known = {process.pid for process in self._processes.values()}
        orphans.kill_children(self._supervisor_pid(), keep=known, min_age=BIRTH_LIMIT)

    def _supervisor_pid(self) -> int:
        pid = self._program.pid
        return orphans.children(pid)[0] if self._tier.bubblewrap else pid

    # --- births and deaths ---

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
        if kind == protocol.HELLO:
            self._greeted.set_result(None)
        elif kind == protocol.READY:
            self.layers.set_result(json.loads(payload))
        elif kind == protocol.FAILED:
            self._on_loss(payload.decode("utf-8", "replace"))
        elif kind == protocol.BORN and descriptors:  # without: this process may open no more
            (token,) = protocol.BIRTH.unpack(payload)
            self._on_birth(token, descriptors[0])
        elif kind == protocol.DEAD:
            token, wait_status = protocol.DEATH.unpack(payload)
            self._on_death(token, wait_status)

    def _on_birth(self, token: int, pidfd: int) -> None:
        child = self._processes[token]
        child.on_birth(pidfd)
        if child.is_dead:  # given up meanwhile; `on_birth` has killed it
            os.close(pidfd)
            self._processes.pop(token)

    def _on_death(self, token: int, wait_status: int) -> None:
        if token == protocol.TEMPLATE_TOKEN:
            self._on_loss("the sandbox's template process died")
        elif (process := self._processes.pop(token, None)) is not None:
            process.on_death(wait_status)

    def _on_loss(self, reason: str) -> None:
        self.is_lost = True
        self._loop.remove_reader(self._channel)
        for future in (self._greeted, self.layers):
            if not future.done():
                future.set_exception(SandboxError(reason))
                future.exception()  # whoever waits will hear of it; if nobody does, be quiet
        for process in self._processes.values():
            process.kill(f"was lost: {reason}")
            process.on_death(9)
        self._processes.clear()

    async def stop(self) -> None:
        """Kill every process; returns when none is left."""
        for process in list(self._processes.values()):
            process.close()
        self._processes.clear()
        self._on_loss("the sandbox is closed")
        self._channel.close()
        patience = time.monotonic() + 5
        while self._program.poll() is None:  # no executor takes work while the interpreter exits
            if time.monotonic() > patience:
                self._program.kill()
            await asyncio.sleep(0.005)


def _soft_limit() -> int:
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]
