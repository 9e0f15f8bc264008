"""`genprm sandbox serve`: a sandbox for other machines."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from genprm.errors import MissingExtra

app = typer.Typer(help="Run model-written code for other machines.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Run model-written code for other machines."""


@app.command()
def serve(
    host: Annotated[
        str,
        typer.Option(
            help="Address to listen on. If other machines can reach it, --token-file is required."
        ),
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port to listen on; 0 picks a free one.")
    ] = 8323,
    token_file: Annotated[
        Path | None,
        typer.Option(
            help="File with the token that clients have to send; they read theirs from the "
            "environment variable GENPRM_SANDBOX_TOKEN."
        ),
    ] = None,
    sandbox: Annotated[
        str, typer.Option(help="Tier of isolation on this machine; genprm doctor lists them.")
    ] = "auto",
    sessions: Annotated[
        int, typer.Option(min=1, help="Most sessions of all clients together; more are refused.")
    ] = 1024,
    max_timeout: Annotated[
        float, typer.Option(min=0.01, help="Most seconds that a snippet may take.")
    ] = 600.0,
    memory: Annotated[
        int,
        typer.Option(
            min=1, help="Mebibytes that one session may use beyond the interpreter's own memory."
        ),
    ] = 1024,
    total_memory: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Mebibytes that all sessions together may use; by default half of the machine's.",
        ),
    ] = None,
    preload: Annotated[
        str,
        typer.Option(help="Modules that are already imported in every session, with commas."),
    ] = "math,sympy,numpy",
    stdio: Annotated[
        bool,
        typer.Option("--stdio", help="Serve one client on stdin and stdout, as in a container."),
    ] = False,
) -> None:
    """Run model-written code for other machines: genprm verify --sandbox remote:http://HOST:PORT."""
    try:
        from genprm.sandboxes.remote import server
    except ImportError as error:
        raise MissingExtra(error.name or "websockets", extra="sandbox") from None
    from genprm.sandboxes.fork_server import ForkServer
    from genprm.sandboxes.remote.serving import SandboxLimits

    total = None if total_memory is None else total_memory << 20
    modules = tuple(filter(None, preload.split(",")))
    box = ForkServer(sandbox, memory=memory << 20, total_memory=total, preload=modules)
    limits = SandboxLimits(sessions, max_timeout)

    async def run() -> None:
        if stdio:
            async with box:
                await server.serve_pipes(box, box.tier_name, limits)
            return
        token = None if token_file is None else server.read_token(token_file)
        listening = server.listen(host, port, token)
        async with box:
            address = f"http://{host}:{listening.getsockname()[1]}"
            typer.echo(f"genprm sandbox: tier {box.tier_name} at {address}", err=True)
            await server.serve_forever(box, box.tier_name, listening, token, limits)

    asyncio.run(run())
