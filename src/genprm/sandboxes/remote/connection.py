"""The client's end of one connection: many requests at once, each answered by its id."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass

from genprm.errors import SandboxError
from genprm.sandbox import RunResult
from genprm.sandboxes.remote import messages
from genprm.sandboxes.remote.messages import MessageError, Received
from genprm.sandboxes.remote.transport import Transport, TransportClosed

HELLO_LIMIT = 150.0  # seconds; a container may have to be started, and its imports are slow

Dial = Callable[[], Awaitable[Transport]]


class ConnectionLost(Exception):
    """The server is gone, and all its sessions with it; the text says how."""


@dataclass(frozen=True, slots=True)
class Address:
    """A server, how to reach it, and what may help if it does not answer."""

    name: str  # for people
    dial: Dial
    remedy: str = "start one with genprm sandbox serve"


class Connection:
    """A connection on which the server has sent its greeting."""

    def __init__(self, name: str, transport: Transport, tier: str) -> None:
        self.name = name
        self.tier = tier
        self.lost: str | None = None  # why
        self.sessions = 0  # open ones
        self._transport = transport
        self._numbers = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[Received]] = {}
        self._closing: set[asyncio.Task[None]] = set()
        self._reading = asyncio.create_task(self._read())

    @classmethod
    async def open(cls, address: Address) -> "Connection":
        """Dial, and wait for the server's greeting.

        Raises:
            ConnectionLost: nobody answers, or not as a sandbox server does.
            SandboxError: the server refuses us.
        """
        try:
            transport = await address.dial()
            try:
                async with asyncio.timeout(HELLO_LIMIT):
                    hello = messages.read_reply(await transport.receive()).header
                if not isinstance(hello, messages.Hello) or hello.version != messages.VERSION:
                    raise SandboxError(
                        f"{address.name} speaks another version of the sandbox protocol; "
                        "fix: install the same genprm there"
                    )
            except BaseException:
                await transport.close()
                raise
        except (TransportClosed, MessageError, TimeoutError) as error:
            raise ConnectionLost(str(error) or "no answer in time") from None
        return cls(address.name, transport, hello.tier)

    async def close(self) -> None:
        """Close the connection, which ends its sessions. Idempotent."""
        self._reading.cancel()
        await asyncio.wait([self._reading])
        await self._transport.close()

    # --- sessions ---

    def new_session(self) -> int:
        """A number for a new session, which starts with its first run."""
        self.sessions += 1
        return next(self._numbers)

    async def run(self, session: int, code: str, timeout: float) -> RunResult:
        """Run one snippet.

        Raises:
            ConnectionLost: the server is gone, and so is the session.
            SandboxError: the server cannot run it.
        """
        number = next(self._numbers)
        request = messages.RunRequest(id=number, session=session, timeout=timeout)
        reply = await self._ask(number, messages.encode(request, messages.encode_code(code)))
        if not isinstance(reply.header, messages.Result):
            raise self._failure(reply)
        return reply.header.with_stdout(reply.body)

    async def fork(self, session: int) -> int:
        """An independent copy of a session. Raises as `run` does."""
        copy, number = self.new_session(), next(self._numbers)
        request = messages.Fork(id=number, session=session, target=copy)
        try:
            reply = await self._ask(number, messages.encode(request))
            if not isinstance(reply.header, messages.Done):
                raise self._failure(reply)
        except BaseException:
            self.drop(copy)
            raise
        return copy

    def drop(self, session: int) -> None:
        """End a session without waiting."""
        self.sessions -= 1
        if self.lost is None:
            message = messages.encode(messages.Close(session=session))
            task = asyncio.create_task(self._send_quietly(message))
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)

    # --- messages ---

    async def _ask(self, number: int, message: bytes) -> Received:
        if self.lost is not None:
            raise ConnectionLost(self.lost)
        if len(message) > messages.MAX_MESSAGE:
            raise SandboxError(
                f"a snippet of {len(message)} bytes is longer than a sandbox server accepts; "
                f"fix: use at most {messages.MAX_MESSAGE}"
            )
        answer: asyncio.Future[Received] = asyncio.get_running_loop().create_future()
        self._waiting[number] = answer
        try:
            await self._transport.send(message)
            return await answer
        except TransportClosed as error:
            raise ConnectionLost(str(error)) from None
        finally:
            self._waiting.pop(number, None)

    async def _send_quietly(self, message: bytes) -> None:
        with suppress(TransportClosed):  # with the connection its sessions are gone
            await self._transport.send(message)

    def _failure(self, reply: Received) -> SandboxError:
        if isinstance(reply.header, messages.Failed):
            return SandboxError(f"{self.name}: {reply.header.error}")
        return SandboxError(f"{self.name}: the answer does not match the request")

    async def _read(self) -> None:
        reason = "closed"
        try:
            while True:
                reply = messages.read_reply(await self._transport.receive())
                if isinstance(reply.header, messages.Hello):
                    raise MessageError("a second greeting")
                answer = self._waiting.get(reply.header.id)
                if answer is not None and not answer.done():  # else whoever asked has gone
                    answer.set_result(reply)
        except (TransportClosed, MessageError) as error:
            reason = str(error) or "the connection ended"
        finally:
            self.lost = reason
            for answer in self._waiting.values():
                if not answer.done():
                    answer.set_exception(ConnectionLost(reason))
