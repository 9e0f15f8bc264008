"""Hundreds of connections to one server.

httpx goes through all its connections, for each of them, whenever a request starts or ends. With
hundreds of connections this takes longer than the requests themselves. So they are distributed
over clients with a few connections each, and requests that find no free connection wait here,
where waiting costs nothing.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import httpx

_PER_CLIENT = 16


class ClientPool:
    """At most `connections` requests at a time; each client sends `headers`.

    Connections belong to the event loop that opened them: in another loop, there are new ones.
    """

    def __init__(
        self,
        base_url: str,
        connections: int,
        *,
        headers: dict[str, str],
        timeout: httpx.Timeout,
    ) -> None:
        self._connections = connections
        # loading the certificates takes longer than everything else here, so it is done once
        verify = httpx.create_ssl_context() if base_url.startswith("https") else False
        limits = httpx.Limits(max_connections=_PER_CLIENT, max_keepalive_connections=_PER_CLIENT)
        self._new = partial(
            httpx.AsyncClient,
            base_url=base_url,
            verify=verify,
            limits=limits,
            headers=headers,
            timeout=timeout,
        )
        self._loop: asyncio.AbstractEventLoop | None = None
        self._clients: list[httpx.AsyncClient] = []
        self._free: asyncio.LifoQueue[httpx.AsyncClient] = asyncio.LifoQueue()

    @asynccontextmanager
    async def client(self) -> AsyncIterator[httpx.AsyncClient]:
        """A client with a free connection, for one request."""
        if self._loop is not asyncio.get_running_loop():
            self._open()
        free = self._free
        client = await free.get()
        try:
            yield client
        finally:
            free.put_nowait(client)

    async def close(self) -> None:
        """Close all connections."""
        if self._loop is asyncio.get_running_loop():
            for client in self._clients:
                await client.aclose()

    def _open(self) -> None:
        self._loop = asyncio.get_running_loop()
        clients = -(-self._connections // _PER_CLIENT)
        self._clients = [self._new() for _ in range(clients)]
        # the last one given back is the next one taken: its connection is likely to be open
        self._free = asyncio.LifoQueue()
        for slot in range(self._connections):
            self._free.put_nowait(self._clients[slot % clients])
