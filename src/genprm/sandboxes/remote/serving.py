"""One client's sessions on a server: requests in, results out, all sessions closed at the end."""

import asyncio
from collections.abc import Awaitable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, field

from genprm.errors import SandboxError
from genprm.sandbox import SandboxBackend, SandboxSession
from genprm.sandboxes.remote import messages
from genprm.sandboxes.remote.messages import MessageError
from genprm.sandboxes.remote.transport import Transport, TransportClosed


@dataclass
class SandboxLimits:
    """What all clients of one server together may use.

    Attributes:
        sessions: most open sessions.
        timeout: most seconds for a snippet; a request for more gets this much.
    """

    sessions: int = 1024
    timeout: float = 600.0
    open_sessions: int = field(default=0, init=False)


class Served:
    """The sessions of one connection."""

    def __init__(self, transport: Transport, box: SandboxBackend, limits: SandboxLimits) -> None:
        self._transport = transport
        self._box = box
        self._limits = limits
        self._sessions: dict[int, SandboxSession] = {}
        self._running: dict[int, asyncio.Task[None]] = {}  # by session: one request each

    async def serve(self, tier: str) -> None:
        """Serve until the client is gone or breaks the protocol, and then close its sessions."""
        try:
            await self._transport.send(messages.encode(messages.Hello(tier=tier)))
            while True:
                self._on_request(*messages.read_request(await self._transport.receive()))
        except (TransportClosed, MessageError):
            pass
        finally:
            await self._close_all()
            await self._transport.close()

    def _on_request(self, request: messages.Request, body: bytes) -> None:
        if isinstance(request, messages.Close):
            self._start(request.session, self._close(request.session, self._take(request.session)))
            return
        if request.session in self._running:
            raise MessageError("a session does one thing at a time")
        if isinstance(request, messages.RunRequest):
            work = self._run(request, messages.decode_code(body))
        else:
            work = self._fork(request)
        self._start(request.session, self._answer(request.id, work))

    def _take(self, session: int) -> "asyncio.Task[None] | None":
        return self._running.pop(session, None)

    def _start(self, session: int, work: Coroutine[None, None, None]) -> None:
        task = self._running[session] = asyncio.create_task(work)
        task.add_done_callback(lambda _: self._on_done(session, task))

    def _on_done(self, session: int, task: "asyncio.Task[None]") -> None:
        if self._running.get(session) is task:
            del self._running[session]

    # --- requests ---

    async def _answer(self, id: int, work: Awaitable[bytes]) -> None:
        """Send the result of `work`, or why it failed."""
        try:
            answer = await work
        except SandboxError as error:
            answer = messages.encode(messages.Failed(id=id, error=str(error)))
        except Exception as error:  # noqa: BLE001 - a fault of ours: the client must not wait forever
            cause = f"{type(error).__name__}: {error}"
            answer = messages.encode(messages.Failed(id=id, error=cause))
        with suppress(TransportClosed):  # `serve` notices, too
            await self._transport.send(answer)

    async def _run(self, request: messages.RunRequest, code: str) -> bytes:
        session = self._open(request.session)
        result = await session.run(code, min(request.timeout, self._limits.timeout))
        stdout = result.stdout.encode("utf-8", "replace")
        return messages.encode(messages.Result.of(request.id, result), stdout)

    async def _fork(self, request: messages.Fork) -> bytes:
        if request.target in self._sessions:
            raise SandboxError(f"there is a session {request.target} already")
        original = self._open(request.session)
        self._check_room()
        self._add(request.target, await original.fork())
        return messages.encode(messages.Done(id=request.id))

    async def _close(self, session: int, running: "asyncio.Task[None] | None") -> None:
        if running is not None:
            running.cancel()
            await asyncio.wait([running])
        closed = self._sessions.pop(session, None)
        if closed is not None:
            self._limits.open_sessions -= 1
            await closed.close()

    # --- sessions ---

    def _open(self, session: int) -> SandboxSession:
        if session not in self._sessions:
            self._check_room()
            self._add(session, self._box.session())
        return self._sessions[session]

    def _check_room(self) -> None:
        if self._limits.open_sessions >= self._limits.sessions:
            raise SandboxError(
                f"the sandbox server has {self._limits.sessions} sessions open already; "
                "fix: lower --concurrency, or raise --sessions there"
            )

    def _add(self, name: int, session: SandboxSession) -> None:
        self._sessions[name] = session
        self._limits.open_sessions += 1

    async def _close_all(self) -> None:
        running = list(self._running.values())
        for task in running:
            task.cancel()
        if running:
            await asyncio.wait(running)
        self._limits.open_sessions -= len(self._sessions)
        for session in self._sessions.values():
            await session.close()
        self._sessions.clear()
