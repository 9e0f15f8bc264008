"""The socket's side: limits on connections, and a shutdown that lets accepted work finish.

uvicorn waits without limit for a request's head, counts connections only once a request has
arrived, and ends by raising the signal again. These two classes change only that.
"""

import asyncio
import json
import signal
from collections.abc import Callable, Generator
from contextlib import contextmanager

import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.h11_impl import H11Protocol

from genprm.server.errors import ErrorDetail, ErrorReply
from genprm.server.limits import ServiceLimits

_AFTER_DRAIN = 3.0  # seconds for cancelled requests to write their last words


def bounded_connection(limits: ServiceLimits) -> type[H11Protocol]:
    """uvicorn's HTTP protocol under these limits."""

    class Connection(H11Protocol):
        """Closes a connection that does not send a whole request head in time."""

        _head_timer: asyncio.TimerHandle | None = None

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            if len(self.connections) > limits.connections:
                self._refuse(503, "too many connections", "close some, or try again later")
            else:
                self._arm()

        def data_received(self, data: bytes) -> None:
            if self.transport.is_closing():
                return
            super().data_received(data)
            if self.cycle is not None and not self.cycle.response_complete:
                self._disarm()
            else:
                self._arm()

        def connection_lost(self, exc: Exception | None) -> None:
            self._disarm()
            super().connection_lost(exc)

        def send_400_response(self, msg: str) -> None:
            self._refuse(400, msg, "send HTTP/1.1")

        def _arm(self) -> None:
            if self._head_timer is None:
                self._head_timer = self.loop.call_later(limits.head_seconds, self.transport.abort)

        def _disarm(self) -> None:
            if self._head_timer is not None:
                self._head_timer.cancel()
                self._head_timer = None

        def _refuse(self, status: int, message: str, fix: str) -> None:
            error = ErrorReply(error=ErrorDetail(message=message, fix=fix))
            body = json.dumps(error.model_dump()).encode()
            head = (
                f"HTTP/1.1 {status} Refused\r\ncontent-type: application/json\r\n"
                f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
            )
            self.transport.write(head.encode() + body)
            self.transport.close()

    return Connection


class Server(uvicorn.Server):
    """On SIGTERM or Ctrl-C, tells the service to end, waits for it, and returns normally.

    `on_end` is called at the first signal; a second one ends at once.
    """

    def __init__(self, app: FastAPI, limits: ServiceLimits, on_end: Callable[[], None]) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                log_config=None,
                access_log=False,
                lifespan="off",
                http=bounded_connection(limits),
                timeout_graceful_shutdown=int(limits.drain_seconds + _AFTER_DRAIN),
            )
        )
        self._on_end = on_end

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Handle SIGTERM and SIGINT in the event loop while serving."""
        loop = asyncio.get_running_loop()
        heard = (signal.SIGTERM, signal.SIGINT)
        for number in heard:
            loop.add_signal_handler(number, self._end)
        try:
            yield
        finally:
            for number in heard:
                loop.remove_signal_handler(number)

    def _end(self) -> None:
        if self.should_exit:
            self.force_exit = True
        self.should_exit = True
        self._on_end()
