"""`genprm view`: the page that shows runs, served on this machine or exported as files."""

import asyncio
import socket
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from genprm.cli import options as cli
from genprm.cli.grouping import grouped
from genprm.cli.judging_options import JudgingOptions
from genprm.cli.options import EngineOptions
from genprm.errors import InputError, MissingExtra
from genprm.verify.settings import Settings

if TYPE_CHECKING:
    from genprm.verify.judge import StepJudge
    from genprm.viewer.library import Library


@grouped
def view(
    runs: Annotated[
        list[Path],
        typer.Argument(
            metavar="RUN…",
            help="Files written with --output, folders of genprm evaluate or genprm curate, or "
            "folders that contain such runs.",
        ),
    ],
    judging: JudgingOptions,
    engine: cli.EngineOptions,
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port on 127.0.0.1; 0 picks a free one.")
    ] = 8322,
    export: Annotated[
        Path | None,
        typer.Option(help="Write the page and the runs to this folder, to open from disk."),
    ] = None,
    export_corrections: Annotated[
        Path | None,
        typer.Option(
            help="Write the runs' corrections to this folder: chats.jsonl for genprm train, "
            "labelled.jsonl for genprm evaluate."
        ),
    ] = None,
    live: Annotated[
        bool,
        typer.Option(
            help="Let the page judge pasted solutions; the model is loaded for the first one."
        ),
    ] = True,
) -> None:
    """Look at runs in a browser: the reward of every step, every vote, and why."""
    try:
        from genprm.viewer.export import export_bundle
        from genprm.viewer.library import Library
        from genprm.viewer.runs import find_runs
    except ImportError as error:
        raise MissingExtra(error.name or "fastapi", extra="serve") from None
    library = Library(find_runs(runs))
    if export is not None:
        typer.echo(f"page → {export_bundle(library, export)}", err=True)
    if export_corrections is not None:
        _export_corrections(library, export_corrections)
    if export is None and export_corrections is None:
        asyncio.run(_serve(library, engine, judging.settings(), port, live=live))


def _export_corrections(library: "Library", folder: Path) -> None:
    runs = library.build()
    folder.mkdir(parents=True, exist_ok=True)
    exported = [library.export(run) for run in range(len(runs))]
    chats = [row.line() for rows in exported for row in rows.chats]
    labelled = [row.line() for rows in exported for row in rows.labelled]
    (folder / "chats.jsonl").write_bytes(b"".join(chats))
    (folder / "labelled.jsonl").write_bytes(b"".join(labelled))
    for left in (left for rows in exported for left in rows.left_out):
        typer.echo(f"left out: {left.cause}", err=True)
    typer.echo(f"{len(chats)} chats, {len(labelled)} labelled rows → {folder}", err=True)


async def _serve(
    library: "Library",
    engine: EngineOptions,
    settings: Settings,
    port: int,
    *,
    live: bool,
) -> None:
    try:
        import uvicorn
    except ImportError as error:
        raise MissingExtra(error.name or "uvicorn", extra="serve") from None
    from genprm.compose import open_judge
    from genprm.viewer.app import viewer_app
    from genprm.viewer.live import OwnJudge

    def judge_here() -> AbstractAsyncContextManager["StepJudge"]:
        return open_judge(engine.choice, settings)

    try:
        listening = socket.create_server(("127.0.0.1", port))
    except OSError as error:
        cause = error.strerror or str(error)
        raise InputError(f"127.0.0.1:{port}: {cause}; fix: choose another --port") from None
    judge = OwnJudge(judge_here)
    page = viewer_app(library, judge if live else None)
    config = uvicorn.Config(page, log_level="warning", lifespan="off", timeout_graceful_shutdown=3)
    library.refresh()  # begins to index while the browser opens
    typer.echo(f"genprm shows the runs at http://127.0.0.1:{listening.getsockname()[1]}", err=True)
    try:
        await uvicorn.Server(config).serve([listening])
    finally:
        await judge.close()
        library.close()
