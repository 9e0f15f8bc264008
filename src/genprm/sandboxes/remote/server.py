"""`genprm sandbox serve`: a sandbox for other machines.

Every connection has its own sessions, which end with it. Snippets are confined by the sandbox
beneath; the server decides who may connect, and how many resources they may use.

A web page must not reach a server on its reader's machine: requests from a page carry the header
Origin and are refused. There is no encryption: in an untrusted network, use a TLS proxy.
"""

import asyncio
import hmac
import http
import ipaddress
import socket
import sys
from pathlib import Path

from websockets.asyncio.server import ServerConnection, serve
from websockets.http11 import Request, Response

from genprm.errors import InputError
from genprm.sandbox import SandboxBackend
from genprm.sandboxes.remote.messages import MAX_MESSAGE, PATH
from genprm.sandboxes.remote.serving import SandboxLimits, Served
from genprm.sandboxes.remote.transport import PipeTransport
from genprm.sandboxes.remote.websocket import SILENCE_LIMIT, WebSocketTransport

SHORTEST_TOKEN = 16  # characters


def read_token(path: Path) -> str:
    """The token in a file.

    Raises:
        InputError: it cannot be read, or is not a token of at least 16 characters on one line.
    """
    fix = f"fix: write one line of at least {SHORTEST_TOKEN} printable characters"
    try:
        token = path.read_text("ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: the token cannot be read ({error}); {fix}") from None
    if len(token) < SHORTEST_TOKEN or not token.isprintable() or " " in token:
        raise InputError(f"{path}: no usable token; {fix}")
    return token


def listen(host: str, port: int, token: str | None) -> socket.socket:
    """A listening socket.

    Raises:
        InputError: the address cannot be used, or others can reach it and there is no token.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        addresses = [ipaddress.ip_address(info[4][0]) for info in found]
        if token is None and not all(address.is_loopback for address in addresses):
            raise InputError(
                f"{host}: other machines could run code here without a token; "
                "fix: pass --token-file FILE, or --host 127.0.0.1; "
                "more: genprm explain open-address"
            )
        family, _, _, _, address = found[0]
        return socket.create_server(address[:2], family=family, backlog=1024)
    except OSError as error:
        cause = error.strerror or str(error)
        raise InputError(f"{host}:{port}: {cause}; fix: choose another --host or --port") from None


async def serve_forever(
    box: SandboxBackend,
    tier: str,
    listening: socket.socket,
    token: str | None,
    limits: SandboxLimits,
) -> None:
    """Serve an entered sandbox until cancelled."""

    async def handle(connection: ServerConnection) -> None:
        await Served(WebSocketTransport(connection), box, limits).serve(tier)

    def admit(connection: ServerConnection, request: Request) -> Response | None:
        if request.path == "/healthz":
            return connection.respond(http.HTTPStatus.OK, "ok\n")
        if not is_authorized(request.headers.get("Authorization", ""), token):
            return connection.respond(http.HTTPStatus.UNAUTHORIZED, "the token is wrong\n")
        if request.path != PATH:
            return connection.respond(http.HTTPStatus.NOT_FOUND, "no such path\n")
        return None

    async with serve(
        handle,
        sock=listening,
        origins=[None],
        process_request=admit,
        compression=None,
        max_size=MAX_MESSAGE,
        ping_interval=SILENCE_LIMIT,
        ping_timeout=SILENCE_LIMIT,
    ) as server:
        await server.serve_forever()


def is_authorized(header: str, token: str | None) -> bool:
    """Whether an Authorization header carries the token, compared in constant time."""
    if token is None:
        return True
    wanted = f"Bearer {token}".encode()
    return hmac.compare_digest(header.encode("utf-8", "surrogateescape"), wanted)


async def serve_pipes(box: SandboxBackend, tier: str, limits: SandboxLimits) -> None:
    """Serve an entered sandbox to one client on stdin and stdout, until stdin ends."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=1 << 20)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    transport, protocol = await loop.connect_write_pipe(
        asyncio.streams.FlowControlMixin, sys.stdout
    )
    writer = asyncio.StreamWriter(transport, protocol, None, loop)
    await Served(PipeTransport(reader, writer), box, limits).serve(tier)
