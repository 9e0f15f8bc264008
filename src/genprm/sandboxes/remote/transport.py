"""How messages travel, whole and in order: through a WebSocket, or the pipes of a child process."""

import asyncio
import struct
from contextlib import suppress
from typing import Protocol

from genprm.sandboxes.remote.messages import MAX_MESSAGE

_LENGTH = struct.Struct("<I")


class TransportClosed(Exception):
    """The other end is gone; the text says how."""


class Transport(Protocol):
    """A transport; both ends have the same interface."""

    async def send(self, message: bytes) -> None:
        """Send one message.

        Raises:
            TransportClosed: the other end is gone.
        """
        ...

    async def receive(self) -> bytes:
        """The next message.

        Raises:
            TransportClosed: the other end is gone, or it sent something that is not a message.
        """
        ...

    async def close(self) -> None:
        """Close the transport. Idempotent."""
        ...


class PipeTransport:
    """Messages, preceded by their length (u32, little-endian), on a pair of byte streams."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def send(self, message: bytes) -> None:
        """See the port."""
        try:
            self._writer.write(_LENGTH.pack(len(message)) + message)
            await self._writer.drain()
        except OSError as error:
            raise TransportClosed(str(error) or type(error).__name__) from None

    async def receive(self) -> bytes:
        """See the port."""
        try:
            (length,) = _LENGTH.unpack(await self._reader.readexactly(_LENGTH.size))
            if length > MAX_MESSAGE:
                raise TransportClosed(f"a message of {length} bytes")
            return await self._reader.readexactly(length)
        except asyncio.IncompleteReadError:
            raise TransportClosed("end of the stream") from None
        except OSError as error:
            raise TransportClosed(str(error)) from None

    async def close(self) -> None:
        """See the port."""
        self._writer.close()
        with suppress(OSError):
            await self._writer.wait_closed()
