"""ASGI middleware that reads a request's body within limits, before it is parsed."""

import asyncio

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from genprm.server.errors import LATER, Refusal
from genprm.server.limits import ServiceLimits


class BoundedBody:
    """Refuses bodies that are too large (413), too slow (408), or not JSON (415).

    A declared length over the limit is refused before a byte is read, an undeclared one as soon as
    the limit is passed. The bodies of all requests together are limited, too (503).
    """

    def __init__(self, app: ASGIApp, limits: ServiceLimits) -> None:
        self.app = app
        self.limits = limits
        self._held = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or refuse it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        body = bytearray()
        try:
            if await self._arrived(scope, receive, body):
                await self.app(scope, _replay(bytes(body), receive), self._bounded(send))
        except Refusal as refusal:
            await refusal.response()(scope, receive, send)
        finally:
            self._held -= len(body)

    async def _arrived(self, scope: Scope, receive: Receive, body: bytearray) -> bool:
        try:
            async with asyncio.timeout(self.limits.body_seconds):
                return await self._read(scope, receive, body)
        except TimeoutError:
            raise Refusal(
                408,
                f"the body did not arrive within {self.limits.body_seconds:g} s",
                field="body",
                fix="send it faster, or in smaller requests",
            ) from None

    async def _read(self, scope: Scope, receive: Receive, body: bytearray) -> bool:
        """Fill `body`; False if the client went away."""
        headers = Headers(scope=scope)
        declared = int(headers.get("content-length", "0"))
        if declared > self.limits.body_bytes:
            raise self._too_large()
        more = True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return False
            chunk = message.get("body", b"")
            if len(body) + len(chunk) > self.limits.body_bytes:
                raise self._too_large()
            if self._held + len(chunk) > self.limits.buffered_bytes:
                raise Refusal(503, "too many large requests at once", fix=LATER, retry_after=1)
            body += chunk
            self._held += len(chunk)
            more = message.get("more_body", False)
        kind = headers.get("content-type", "application/json").partition(";")[0].strip().lower()
        if body and not (kind == "application/json" or kind.endswith("+json")):
            raise Refusal(
                415,
                f"the body is of type {kind}",
                field="Content-Type",
                fix="send the header Content-Type: application/json",
            )
        return True

    def _too_large(self) -> Refusal:
        return Refusal(
            413,
            f"the body has more than {self.limits.body_bytes:,} bytes",
            field="body",
            fix="send fewer or shorter solutions in one request",
        )

    def _bounded(self, send: Send) -> Send:
        """Limit the time to send a reply, so that a client that never reads cannot block."""

        async def bounded(message: Message) -> None:
            async with asyncio.timeout(self.limits.send_seconds):
                await send(message)

        return bounded


def _replay(body: bytes, receive: Receive) -> Receive:
    """Returns the whole body once, and then the messages of the connection."""
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return waiting.pop() if waiting else await receive()

    return replay
