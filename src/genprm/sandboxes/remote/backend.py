"""The sandbox port on remote servers: `async with RemoteSandbox(addresses) as box`.

New sessions go to the server with the fewest sessions; a fork stays on the server of its original.
If a connection breaks, its sessions are lost. This is reported once (as a warning of this module's
logger, and in `lost_connections`). Each session is rebuilt by replay when it is next used, on any
server that answers, and the snippet that was running is run again. Only if the replay fails does a
result say `namespace_lost`, as in a local sandbox.
"""

import asyncio
import logging
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, replace
from typing import Self

from genprm.errors import SandboxError
from genprm.sandbox import RunResult
from genprm.sandboxes.remote.connection import Address, Connection, ConnectionLost
from genprm.sandboxes.replay import REPLAY_BUDGET, History

RECONNECT_LIMIT = 60.0  # seconds until a server that is gone for a while is given up
FIRST_WAIT, LONGEST_WAIT = 0.1, 5.0  # seconds between two attempts to reach a server
ATTEMPTS = 3  # of a snippet whose server goes away each time

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Place:
    """The place of a session: a number on a connection."""

    connection: Connection
    number: int

    async def run(self, code: str, timeout: float) -> RunResult:
        """As `Connection.run`."""
        return await self.connection.run(self.number, code, timeout)


class RemoteSession:
    """One namespace. It is placed on a server with the first `run`."""

    def __init__(
        self, box: "RemoteSandbox", history: History | None = None, place: Place | None = None
    ) -> None:
        self._box = box
        self._history = history or History()
        self._place = place
        self._is_closed = False
        self._turn = asyncio.Lock()

    async def run(self, code: str, timeout: float = 5.0) -> RunResult:
        """Run one snippet; see the port. A lost namespace is rebuilt before.

        Raises:
            SandboxError: the session is closed, no server answers, or the server went away each of
                three times that it ran this snippet.
        """
        async with self._turn:
            was_lost, reason = False, ""
            for _ in range(ATTEMPTS):
                try:
                    place, is_kept = await self._placed()
                    was_lost |= not is_kept
                    result = await self._run(place, code, timeout)
                    return replace(result, namespace_lost=result.namespace_lost or was_lost)
                except ConnectionLost as error:
                    self._place, reason = None, str(error)
            raise SandboxError(
                f"the sandbox server went away {ATTEMPTS} times while it ran this snippet "
                f"({reason}); fix: look at the server's log"
            )

    async def _run(self, place: Place, code: str, timeout: float) -> RunResult:
        try:
            result = await place.run(code, timeout)
        except asyncio.CancelledError:  # what runs there must not go on, nor be waited for
            self._leave()
            raise
        if result.namespace_lost:
            self._history.forget()
        self._history.record(code, result)
        return result

    async def fork(self) -> "RemoteSession":
        """An independent copy; see the port."""
        async with self._turn:
            self._check_open()
            place = None
            if self._place is not None:
                try:
                    number = await self._place.connection.fork(self._place.number)
                    place = Place(self._place.connection, number)
                except ConnectionLost:
                    self._place = None  # both are replayed when they are next used
            return RemoteSession(self._box, self._history.copy(), place)

    async def close(self) -> None:
        """Drop the namespace. Idempotent."""
        self._is_closed = True
        self._leave()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def _check_open(self) -> None:
        if self._is_closed:
            raise SandboxError("the sandbox session is closed")

    def _leave(self) -> None:
        if self._place is not None:
            self._place.connection.drop(self._place.number)
            self._place = None

    async def _placed(self) -> tuple[Place, bool]:
        """A place to run in, and whether it holds the right namespace."""
        self._check_open()
        if self._place is not None and self._place.connection.lost is None:
            return self._place, True
        self._place = await self._box.new_place()
        if not self._history or await self._replayed(self._place):
            return self._place, True
        self._leave()
        self._history.forget()
        self._place = await self._box.new_place()
        return self._place, False

    async def _replayed(self, place: Place) -> bool:
        budget = self._box.replay_budget
        return self._history.is_affordable(budget) and await self._history.replay(place.run, budget)


class RemoteSandbox:
    """The backend. Entering it connects to at least one server.

    Args:
        addresses: the addresses of one or more equivalent servers.
        replay_budget: most seconds for rebuilding a lost namespace.
        reconnect_limit: most seconds that a session waits for any server to answer.
    """

    def __init__(
        self,
        addresses: Sequence[Address],
        *,
        replay_budget: float = REPLAY_BUDGET,
        reconnect_limit: float = RECONNECT_LIMIT,
    ) -> None:
        self._addresses = tuple(addresses)
        self._connections: dict[str, Connection] = {}
        self._connecting = asyncio.Lock()
        self._next_attempt = 0.0  # at servers that did not answer, while others do
        self._background: set[asyncio.Task[object]] = set()
        self._is_entered = False
        self._reconnect_limit = reconnect_limit
        self.replay_budget = replay_budget
        self.lost_connections = 0

    def session(self) -> RemoteSession:
        """A new, empty namespace."""
        return RemoteSession(self)

    @property
    def tiers(self) -> dict[str, str]:
        """The tier of each server that is connected, by its name."""
        return {name: connection.tier for name, connection in self._connections.items()}

    async def __aenter__(self) -> Self:
        self._is_entered = True
        faults = await self._connect_all()
        if not self._connections:
            raise SandboxError(_nobody(faults, self._addresses))
        return self

    async def __aexit__(self, *_: object) -> None:
        self._is_entered = False
        for task in self._background:
            task.cancel()
        if self._background:
            await asyncio.wait(self._background)
        for connection in self._connections.values():
            await connection.close()
        self._connections.clear()

    async def new_place(self) -> Place:
        """A session's number on the server with the fewest sessions.

        Raises:
            SandboxError: no server answers, for `reconnect_limit` seconds, or one refuses us.
        """
        loop = asyncio.get_running_loop()
        deadline, wait = loop.time() + self._reconnect_limit, FIRST_WAIT
        while True:
            if not self._is_entered:
                raise SandboxError("the sandbox is not open; fix: use async with … as box")
            self._forget_lost()
            faults = {} if self._connections else await self._connect_all()
            if self._connections:
                self._look_for_more()
                connection = min(self._connections.values(), key=lambda c: c.sessions)
                return Place(connection, connection.new_session())
            if loop.time() + wait > deadline:
                raise SandboxError(_nobody(faults, self._addresses))
            await asyncio.sleep(wait)
            wait = min(2 * wait, LONGEST_WAIT)

    def _look_for_more(self) -> None:
        """Try the servers that did not answer again from time to time, in the background."""
        now = asyncio.get_running_loop().time()
        if len(self._connections) < len(self._addresses) and now > self._next_attempt:
            self._next_attempt = now + LONGEST_WAIT
            self._beside(self._connect_all())

    def _beside(self, work: Coroutine[None, None, object]) -> None:
        task = asyncio.create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    def _forget_lost(self) -> None:
        lost = [c for c in self._connections.values() if c.lost is not None]
        for connection in lost:
            self.lost_connections += 1
            del self._connections[connection.name]
            self._beside(connection.close())
            _log.warning(
                "%s: the connection to the sandbox server is lost (%s); its %d sessions are "
                "rebuilt by replay",
                connection.name,
                connection.lost,
                connection.sessions,
            )

    async def _connect_all(self) -> dict[str, str]:
        """Connect to all servers without a connection; returns the failures by name."""
        faults = {}
        async with self._connecting:
            for address in self._addresses:
                if address.name not in self._connections:
                    try:
                        self._connections[address.name] = await Connection.open(address)
                    except ConnectionLost as error:
                        faults[address.name] = str(error)
        return faults


def _nobody(faults: dict[str, str], addresses: Sequence[Address]) -> str:
    causes = "; ".join(f"{name}: {cause}" for name, cause in faults.items())
    remedies = " or ".join(dict.fromkeys(address.remedy for address in addresses))
    return (
        f"no sandbox server answers ({causes}); fix: {remedies}; "
        "more: genprm explain sandbox-server"
    )
