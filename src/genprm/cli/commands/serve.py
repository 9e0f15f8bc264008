"""`genprm serve`: the verifier as an HTTP service."""

import asyncio
import socket
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from genprm.cli import options as cli
from genprm.cli.grouping import OptionGroup, grouped
from genprm.cli.judging_options import JudgingOptions
from genprm.cli.options import EngineOptions
from genprm.errors import InputError, MissingExtra
from genprm.verify.settings import Settings

if TYPE_CHECKING:
    from starlette.applications import Starlette

    from genprm.server.judging import Judging

_ACCESS = "Access"
_BOUNDS = "Limits"


@dataclass(frozen=True, slots=True)
class AccessOptions(OptionGroup):
    """Where the service listens, and who may use it."""

    host: Annotated[
        str,
        typer.Option(
            help="Address to listen on. If other machines can reach it, API keys are required.",
            rich_help_panel=_ACCESS,
        ),
    ] = "127.0.0.1"
    port: Annotated[
        int,
        typer.Option(
            min=0, max=65535, help="Port to listen on; 0 picks a free one.", rich_help_panel=_ACCESS
        ),
    ] = 8321
    keys: Annotated[
        Path | None,
        typer.Option(
            help="File with the accepted API keys, one on each line. Keys can also be given in the "
            "environment variable GENPRM_API_KEYS, separated by spaces.",
            rich_help_panel=_ACCESS,
        ),
    ] = None
    allow_host: Annotated[
        list[str] | None,
        typer.Option(
            help="Another host name by which clients reach the service; may be repeated.",
            rich_help_panel=_ACCESS,
        ),
    ] = None
    allow_origin: Annotated[
        list[str] | None,
        typer.Option(
            help="Origin of a web page that may call the service, such as https://host; may be "
            "repeated.",
            rich_help_panel=_ACCESS,
        ),
    ] = None


@dataclass(frozen=True, slots=True)
class BoundOptions(OptionGroup):
    """How much work the service accepts."""

    waiting: Annotated[
        int,
        typer.Option(
            min=0,
            help="Most solutions that may wait for their turn; more are refused with status 429.",
            rich_help_panel=_BOUNDS,
        ),
    ] = 1024
    max_votes: Annotated[
        int,
        typer.Option(
            min=1, help="Most votes on a step that a request may ask for.", rich_help_panel=_BOUNDS
        ),
    ] = 256
    max_body: Annotated[
        int,
        typer.Option(min=1, help="Most megabytes of one request's body.", rich_help_panel=_BOUNDS),
    ] = 8
    max_seconds: Annotated[
        float,
        typer.Option(
            min=0.1,
            help="Most seconds for one request; solutions that are not judged by then fail.",
            rich_help_panel=_BOUNDS,
        ),
    ] = 3600.0
    drain: Annotated[
        float,
        typer.Option(
            min=0.0,
            help="Seconds that accepted requests have to finish after SIGTERM or Ctrl-C.",
            rich_help_panel=_BOUNDS,
        ),
    ] = 30.0
    log_requests: Annotated[
        bool,
        typer.Option(
            "--log-requests/--no-log-requests",
            help="Write one line of JSON on standard error for each request.",
            rich_help_panel=_BOUNDS,
        ),
    ] = True


@grouped
def serve(
    judging: JudgingOptions,
    engine: cli.EngineOptions,
    access: AccessOptions,
    bounds: BoundOptions,
    stop_at_first_error: cli.StopAtFirstError = False,
    concurrency: cli.Concurrency = 16,
) -> None:
    """Serve the verifier over HTTP. The judging options are the defaults for every request.

    /v1/verify, /v1/rank and /v1/critique judge solutions; /health, /ready and /metrics report the
    state of the service; /openapi.json describes all routes.
    """
    settings = judging.settings(stop_at_first_error=stop_at_first_error)
    asyncio.run(_serve(engine, settings, access, bounds, concurrency))


async def _serve(
    engine: EngineOptions,
    settings: Settings,
    access: AccessOptions,
    bounds: BoundOptions,
    concurrency: int,
) -> None:
    from genprm.compose import open_judge
    from genprm.sandboxes.fork_server import ForkServer

    try:
        from genprm.server import app, connection, logs, security
        from genprm.server.limits import ServiceLimits
        from genprm.server.page import QueuedJudge
        from genprm.viewer.app import page_files, viewer_app
        from genprm.viewer.library import Library
    except ImportError as error:
        raise MissingExtra(error.name or "uvicorn", extra="serve") from None
    limits = ServiceLimits(
        concurrency=concurrency,
        waiting=bounds.waiting,
        votes=bounds.max_votes,
        body_bytes=bounds.max_body << 20,
        seconds=bounds.max_seconds,
        drain_seconds=bounds.drain,
    )
    guard = security.security_of(
        access.host,
        security.read_keys(access.keys),
        access.allow_host or (),
        access.allow_origin or (),
    )
    guard = replace(guard, open_routes=guard.open_routes | page_files())
    listening = _bind(access.host, access.port)
    programs = ForkServer(tier=engine.sandbox)  # apart from the judge's: /run_code has no say there
    async with programs, open_judge(engine.choice, settings) as judge:

        def page(judging: "Judging") -> "Starlette":
            return viewer_app(Library(), QueuedJudge(judging), hosts=guard.hosts)

        service = app.create_service(judge, limits, guard, sandbox=programs, page=page)
        server = connection.Server(service.app, limits, service.judging.drain)
        address = f"http://{access.host}:{listening.getsockname()[1]}"
        typer.echo(f"genprm serves {engine.model} at {address}", err=True)
        logs.write_logs(requests=bounds.log_requests)
        await server.serve([listening])


def _bind(host: str, port: int) -> socket.socket:
    """Bind before the model loads, so that an address in use is refused at once."""
    bound = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((host, port))
    except OSError as error:
        bound.close()
        cause = error.strerror or str(error)
        raise InputError(f"{host}:{port}: {cause}; fix: choose another --host or --port") from None
    return bound
