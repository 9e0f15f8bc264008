"""Making processes: a copy of the template for a fresh session, a copy of a session for a fork.

The template can be trusted, but a session may be hostile and never make its copy. So the two have
separate limits: hostile sessions that do not answer cannot delay new sessions, and a session that
has not copied itself within a second is killed and rebuilt by replay.
"""

import asyncio
import resource
import secrets
import socket
from collections.abc import Callable
from dataclasses import dataclass

from genprm.errors import SandboxError
from genprm.sandboxes.guest import supervisor_protocol as protocol
from genprm.sandboxes.host import orphans
from genprm.sandboxes.host.memory import touched
from genprm.sandboxes.host.process import SessionProcess

TEMPLATE_LIMIT = 10.0  # seconds until a copy has registered; it takes milliseconds
SESSION_LIMIT = 1.0
SWEEP_INTERVAL = 1.0  # seconds between two looks for copies that never registered

# Together few enough that no packet to the supervisor ever has to wait for room.
_TEMPLATE_COPIES, _SESSION_COPIES = 8, 64


@dataclass(frozen=True, slots=True)
class Bound:
    """How many copies of one kind may be in progress, and how long each may take."""

    turn: asyncio.Semaphore
    seconds: float


class Copying:
    """Copies processes of one supervisor, and cleans up after copies that fail.

    Args:
        template: the process that fresh sessions are copies of.
        processes: all that the host knows, by token; copies are added here.
        channel: to the supervisor.
        supervisor: gives its process number, or None when it is gone.
    """

    def __init__(
        self,
        template: SessionProcess,
        processes: dict[int, SessionProcess],
        channel: socket.socket,
        supervisor: Callable[[], int | None],
    ) -> None:
        self._template = template
        self._processes = processes
        self._channel = channel
        self._supervisor = supervisor
        self._for_template = Bound(asyncio.Semaphore(_TEMPLATE_COPIES), TEMPLATE_LIMIT)
        self._for_sessions = Bound(asyncio.Semaphore(_SESSION_COPIES), SESSION_LIMIT)
        self._permitted: dict[int, float] = {}  # token -> when its copy was permitted
        self._sweep: asyncio.TimerHandle | None = None

    async def copy(self, parent: SessionProcess) -> SessionProcess | None:
        """A process with a copy of the parent's memory; None if the parent does not cooperate.

        Raises:
            SandboxError: this program cannot open more files.
        """
        ours, theirs = _channel_pair()
        token = secrets.randbits(63)
        child = self._processes[token] = SessionProcess(token, ours)
        bound = self._for_template if parent is self._template else self._for_sessions
        try:
            with theirs:
                async with bound.turn:
                    async with parent.copying:
                        deadline = asyncio.get_running_loop().time() + bound.seconds
                        self._permit(parent, child)
                        if not await parent.fork(token, theirs.fileno(), bound.seconds):
                            raise TimeoutError
                    async with asyncio.timeout_at(deadline):
                        await child.registered
        except (TimeoutError, OSError):
            self._give_up(parent, child)
            return None
        except BaseException:
            self.drop(child)
            raise
        finally:
            self._permitted.pop(token, None)
        return child

    def drop(self, process: SessionProcess) -> None:
        """Kill a process and forget it; if it has not registered yet, as soon as it does."""
        process.close()
        if process.registered.done():
            self._processes.pop(process.token, None)

    def _permit(self, parent: SessionProcess, child: SessionProcess) -> None:
        if parent is not self._template:
            child.inherited = touched(parent)
        self._permitted[child.token] = orphans.now()
        self._channel.send(protocol.PERMIT + protocol.PERMISSION.pack(parent.token, child.token))

    def _give_up(self, parent: SessionProcess, child: SessionProcess) -> None:
        self.drop(child)
        parent.kill("did not copy itself as it was asked to")
        self._permitted.pop(child.token, None)
        if self._sweep is None:
            self._sweep_orphans()

    def _sweep_orphans(self) -> None:
        """Kill processes that never registered, until there are none."""
        self._sweep = None
        supervisor = self._supervisor()
        if supervisor is None:
            return
        known = {process.pid for process in self._processes.values()}
        started_before = min(self._permitted.values(), default=orphans.now())
        if orphans.kill_orphans(supervisor, known=known, started_before=started_before):
            loop = asyncio.get_running_loop()
            self._sweep = loop.call_later(SWEEP_INTERVAL, self._sweep_orphans)
        else:
            self._forget_unregistered()

    def _forget_unregistered(self) -> None:
        for token, process in list(self._processes.items()):
            if process.is_dead and token not in self._permitted:
                del self._processes[token]


def _channel_pair() -> tuple[socket.socket, socket.socket]:
    try:
        return socket.socketpair()
    except OSError as error:
        limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        raise SandboxError(f"{error}; fix: run ulimit -n {2 * limit}") from error
