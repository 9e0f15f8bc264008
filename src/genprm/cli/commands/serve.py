"""`genprm serve`: the verifier as an HTTP service."""

import asyncio
import socket
from typing import Annotated

import typer

from genprm.cli import options as cli
from genprm.cli.grouping import grouped
from genprm.cli.options import EngineOptions
from genprm.errors import InputError, MissingExtra
from genprm.verify.settings import Settings


@grouped
def serve(
    judging: cli.JudgingOptions,
    engine: cli.EngineOptions,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 picks a free one.")] = 8321,
    stop_at_first_error: cli.StopAtFirstError = False,
    concurrency: cli.Concurrency = 16,
    waiting: Annotated[
        int, typer.Option(min=0, help="Solutions that may wait; more are refused with 503.")
    ] = 1024,
) -> None:
    """Serve POST /v1/verify and GET /healthz; what a request does not say is set here."""
    settings = judging.settings(stop_at_first_error=stop_at_first_error)
    asyncio.run(_serve(engine, settings, host, port, concurrency, waiting))


async def _serve(
    engine: EngineOptions, settings: Settings, host: str, port: int, concurrency: int, waiting: int
) -> None:
    from genprm.compose import open_judge

    try:
        import uvicorn

        from genprm.server import app
    except ImportError as error:
        raise MissingExtra(error.name or "uvicorn", extra="serve") from None
    try:
        listening = socket.create_server((host, port), backlog=2048)
    except OSError as error:
        cause = error.strerror or str(error)
        raise InputError(f"{host}:{port}: {cause}; fix: another --host or --port") from None
    async with open_judge(engine.choice, settings) as judge:
        service = app.create_app(judge, app.Limits(concurrency, waiting))
        server = uvicorn.Server(uvicorn.Config(service, log_level="warning", lifespan="off"))
        address = f"http://{host}:{listening.getsockname()[1]}"
        typer.echo(f"genprm serves {engine.model} at {address}", err=True)
        await server.serve([listening])
