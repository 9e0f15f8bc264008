"""Hundreds of connections to one server.

httpx looks through all its connections, for each of them, whenever a request begins or ends:
with hundreds, that takes longer than the requests. So they are spread over clients of a few
connections each, and requests that find none free wait here, where waiting costs nothing.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx

_PER_CLIENT = 16


class ClientPool:
    """At most `connections` requests at a time; `settings` are those of httpx.AsyncClient."""

    def __init__(self, base_url: str, connections: int, **settings: Any) -> None:
        secure = base_url.startswith("https")
        # loading the certificates takes longer than everything else here, so it is done once
        verify = httpx.create_ssl_context() if secure else False
        limits = httpx.Limits(max_connections=_PER_CLIENT, max_keepalive_connections=_PER_CLIENT)
        clients = -(-connections // _PER_CLIENT)
        self._clients = [
            httpx.AsyncClient(base_url=base_url, verify=verify, limits=limits, **settings)
            for _ in range(clients)
        ]
        # the last one given back is the next one taken: its connection is likely to be open
        self._free: asyncio.LifoQueue[httpx.AsyncClient] = asyncio.LifoQueue()
        for slot in range(connections):
            self._free.put_nowait(self._clients[slot % clients])

    @asynccontextmanager
    async def client(self) -> AsyncIterator[httpx.AsyncClient]:
        """A client with a free connection, for one request."""
        client = await self._free.get()
        try:
            yield client
        finally:
            self._free.put_nowait(client)

    async def close(self) -> None:
        """Close all connections."""
        for client in self._clients:
            await client.aclose()
