"""A WebSocket as the transport, on either end. Needs the package `websockets`."""

from contextlib import suppress

from websockets.asyncio.client import connect
from websockets.asyncio.connection import Connection
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus

from genprm.errors import SandboxError
from genprm.sandboxes.remote.messages import MAX_MESSAGE, PATH
from genprm.sandboxes.remote.transport import TransportClosed

CONNECT_LIMIT = 10.0  # seconds
SILENCE_LIMIT = 20.0  # seconds after which the other end is asked for a sign of life, and may take


class WebSocketTransport:
    """One connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def send(self, message: bytes) -> None:
        """See the port."""
        try:
            await self._connection.send(message)
        except ConnectionClosed as error:
            raise TransportClosed(str(error)) from None

    async def receive(self) -> bytes:
        """See the port."""
        try:
            return await self._connection.recv(decode=False)
        except ConnectionClosed as error:
            raise TransportClosed(str(error)) from None

    async def close(self) -> None:
        """See the port."""
        with suppress(ConnectionClosed):
            await self._connection.close()


async def dial(url: str, token: str | None) -> WebSocketTransport:
    """A connection to the sandbox server at `http://host:port` or `https://…`.

    Raises:
        SandboxError: the server refuses us.
        TransportClosed: nobody answers there.
    """
    address = url.rstrip("/").replace("http", "ws", 1) + PATH
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    try:
        connection = await connect(
            address,
            additional_headers=headers,
            compression=None,
            max_size=MAX_MESSAGE,
            open_timeout=CONNECT_LIMIT,
            ping_interval=SILENCE_LIMIT,
            ping_timeout=SILENCE_LIMIT,
            proxy=None,
        )
    except InvalidStatus as error:
        if error.response.status_code == 401:
            raise SandboxError(
                f"{url} refuses the sandbox token; fix: set GENPRM_SANDBOX_TOKEN to the server's"
            ) from None
        raise TransportClosed(f"it answers with status {error.response.status_code}") from None
    except InvalidHandshake as error:
        raise SandboxError(f"{url} is not a genprm sandbox server: {error}") from None
    except (OSError, TimeoutError) as error:
        raise TransportClosed(str(error) or "no answer in time") from None
    return WebSocketTransport(connection)
