"""`genprm sandbox serve`: a sandbox that other machines use."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from genprm.errors import MissingExtra

app = typer.Typer(help="The sandbox that runs model-written code.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """The sandbox that runs model-written code."""


@app.command()
def serve(
    host: Annotated[
        str,
        typer.Option(help="Address to listen on. One that others can reach needs --token-file."),
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port to listen on; 0 picks a free one.")
    ] = 8323,
    token_file: Annotated[
        Path | None,
        typer.Option(help="File with the token that clients send (GENPRM_SANDBOX_TOKEN there)."),
    ] = None,
    sandbox: Annotated[
        str, typer.Option(help="Tier of isolation on this machine; see genprm doctor.")
    ] = "auto",
    sessions: Annotated[
        int, typer.Option(min=1, help="Sessions of all clients together; more are refused.")
    ] = 1024,
    max_timeout: Annotated[
        float, typer.Option(min=0.01, help="Seconds that a snippet may take at most.")
    ] = 600.0,
    memory: Annotated[
        int, typer.Option(min=1, help="Mebibytes that one session may add to the interpreter's.")
    ] = 1024,
    total_memory: Annotated[
        int | None,
        typer.Option(min=1, help="Mebibytes of all sessions together; half the machine if unset."),
    ] = None,
    preload: Annotated[
        str, typer.Option(help="Modules that every session has imported already, with commas.")
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
