"""One line of JSON on standard error for each request, with its id; never a key or a body.

A slow reader of the log must not stop the service, so lines go through a bounded queue and are
dropped when it is full.
"""

import json
import logging
import queue
import re
import sys
import threading
import time
import uuid
from contextlib import suppress
from logging.handlers import QueueHandler

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from genprm.server.errors import refusal_of
from genprm.server.metrics import Metrics

logger = logging.getLogger("genprm.server")
_ID = re.compile(r"[\w.:-]{1,128}", re.ASCII)
_LINES = 10_000


class JsonFormatter(logging.Formatter):
    """A record as one line of JSON, with the fields in `extra={"fields": {...}}`."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line."""
        line = {
            "time": self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z"),
            "level": record.levelname.lower(),
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=True, default=str)


class _DroppingHandler(QueueHandler):
    def enqueue(self, record: logging.LogRecord) -> None:
        with suppress(queue.Full):
            self.queue.put_nowait(record)

    def prepare(self, record: logging.LogRecord) -> logging.LogRecord:
        return record


def write_logs(*, requests: bool) -> None:
    """Send the service's log lines, and uvicorn's warnings, to standard error from a thread."""
    lines: queue.Queue[logging.LogRecord] = queue.Queue(_LINES)
    formatter = JsonFormatter()

    def write() -> None:
        while True:
            print(formatter.format(lines.get()), file=sys.stderr, flush=True)

    handler = _DroppingHandler(lines)
    for name, level in (
        ("genprm.server", logging.INFO if requests else logging.WARNING),
        ("uvicorn.error", logging.WARNING),
    ):
        log = logging.getLogger(name)
        log.handlers, log.propagate = [handler], False
        log.setLevel(level)
    threading.Thread(target=write, name="genprm-logs", daemon=True).start()


class RequestLog:
    """The outermost ASGI middleware: request ids, a log line for each request, and metrics.

    Exceptions that no route has caught become an error reply here.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self.app = app
        self.metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        given = Headers(scope=scope).get("x-request-id", "")
        name = given if _ID.fullmatch(given) else uuid.uuid4().hex
        status = 0
        start = time.monotonic()

        async def tell(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["x-request-id"] = name
            await send(message)

        try:
            await self.app(scope, receive, tell)
        except Exception as error:
            logger.error("a request failed", exc_info=error, extra={"fields": {"request_id": name}})
            if not status:
                await refusal_of(error).response()(scope, receive, tell)
        finally:
            self._note(scope, name, status, time.monotonic() - start)

    def _note(self, scope: Scope, name: str, status: int, seconds: float) -> None:
        route = getattr(scope.get("route"), "path", "") or "other"
        self.metrics.requests.labels(route, str(status)).inc()
        self.metrics.seconds.labels(route).observe(seconds)
        fields = {
            "request_id": name,
            "method": scope["method"],
            "route": route,
            "status": status,
            "seconds": round(seconds, 4),
            "client": (scope.get("client") or ("",))[0],
        }
        logger.info("request", extra={"fields": fields})
