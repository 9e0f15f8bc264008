"""A real service on a loopback socket, on a model that says what a test wants."""

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from time import monotonic
from typing import Any

import httpx
import pytest

pytest.importorskip("fastapi")
from scripted import Scripted

from genprm.sandbox import SandboxBackend
from genprm.server.app import Service, ServiceLimits, create_service
from genprm.server.connection import Server
from genprm.server.security import Security
from genprm.verify.format import Mode
from genprm.verify.settings import Settings
from genprm.verify.verifier import Verifier

LOOPBACK = Security()


class Stuck(Scripted):
    """Never answers, and remembers being told to stop."""

    loop: asyncio.AbstractEventLoop | None = None

    async def complete(self, *args: Any, **options: Any) -> Any:
        self.loop = asyncio.get_running_loop()
        self.running += 1
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        finally:
            self.running -= 1


@contextmanager
def serving(
    model: Scripted,
    limits: ServiceLimits = ServiceLimits(),
    security: Security = LOOPBACK,
    sandbox: SandboxBackend | None = None,
) -> Iterator[httpx.Client]:
    """A client of a running service."""
    verifier = Verifier(model, sandbox, Settings(mode=Mode.COT))  # type: ignore[arg-type]
    service = create_service(verifier, limits, security, sandbox=sandbox)
    with running(service, limits, sandbox) as url, httpx.Client(base_url=url) as client:
        yield client


@contextmanager
def running(
    service: Service, limits: ServiceLimits = ServiceLimits(), sandbox: SandboxBackend | None = None
) -> Iterator[str]:
    """The service's address, in a thread of its own, which enters the sandbox, too."""

    async def serve() -> None:
        async with sandbox or nullcontext():
            await server.serve([listening])

    server = Server(service.app, limits, service.judging.drain)
    server.capture_signals = _no_signals  # type: ignore[method-assign]
    listening = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    try:
        wait_until(lambda: server.started)
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        server.force_exit = True
        thread.join(timeout=10)
        listening.close()


def wait_until(true: Callable[[], bool]) -> None:
    end = monotonic() + 10
    while not true():
        assert monotonic() < end, "waited for ten seconds"
        threading.Event().wait(0.01)


@contextmanager
def _no_signals() -> Iterator[None]:
    yield
