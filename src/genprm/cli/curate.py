"""`genprm curate`: from problems to chats that train a verifier."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from genprm.cli import options as cli
from genprm.cli.crew import EngineCrew
from genprm.cli.recipes import read_curation
from genprm.curate.folder import Folder, Stage
from genprm.curate.pipeline import Crew, Pipeline, Ticker
from genprm.curate.plan import Forecast, PilotCrew, from_assumptions, from_pilot
from genprm.curate.publish import publish
from genprm.curate.recipe import Curation
from genprm.curate.report import funnel, write_report
from genprm.curate.survey import Survey, survey


def curate(
    recipe: Annotated[Path, typer.Argument(metavar="RECIPE.toml", help="See recipes/.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder; a killed run goes on in it.")],
    stage: Annotated[
        list[Stage] | None, typer.Option(help="Only this stage; may be repeated.")
    ] = None,
    source: Annotated[
        Path | None,
        typer.Option("--from", help="Folder to take finished stages over from, where the same."),
    ] = None,
    plan: Annotated[
        bool, typer.Option("--plan", help="Say what the stages will cost, and run none.")
    ] = False,
    pilot: Annotated[
        int, typer.Option(min=0, help="Problems to measure with for --plan; 0: assume.")
    ] = 0,
    api_key: cli.ApiKey = None,
    sandbox: cli.Tier = "auto",
) -> None:
    """Make training data: solutions, rollouts, labels, rationales, consensus, chats."""
    settings = read_curation(recipe)
    crew = EngineCrew(settings, api_key=api_key, sandbox=sandbox)
    folder = Folder(out, None if source is None else Folder(source))
    console = Console(stderr=True, highlight=False)
    if plan:
        forecast = _plan(settings, crew, folder, pilot, console)
        forecast.store(out / "plan.json")
        Console(highlight=False).print(_costs(forecast))
        return
    _run(Pipeline(settings, folder, crew), stage or list(Stage), console)
    counted = survey(folder, settings)
    report = write_report(folder, settings, counted, Forecast.load(out / "plan.json"))
    console.print(_funnel(counted))
    console.print(f"report → {report}")
    if folder.is_done(Stage.CHATS):
        console.print(f"data set → {publish(folder, settings, counted)}")


def _run(pipeline: Pipeline, stages: list[Stage], console: Console) -> None:
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn()
    with Progress(*columns, TimeRemainingColumn(), console=console) as progress:

        def begin(stage: Stage, units: int) -> None:
            progress.add_task(stage.value, total=units)

        pipeline.ticker = Ticker(begin, lambda: progress.advance(progress.task_ids[-1]))

        async def run() -> None:
            for stage in stages:
                await pipeline.run(stage)

        asyncio.run(run())


def _plan(settings: Curation, crew: Crew, folder: Folder, pilot: int, console: Console) -> Forecast:
    assumed = settings.plan.problems
    if assumed is not None and not pilot:
        return from_assumptions(settings, assumed)
    problems = crew.problems()
    if not pilot:
        return from_assumptions(settings, len(problems))
    few = Folder(folder.path / f"pilot-{pilot}")
    _run(Pipeline(settings, few, PilotCrew(crew, problems, pilot)), list(Stage), console)
    return from_pilot(survey(few, settings), settings, len(problems))


def _costs(forecast: Forecast) -> Table:
    table = Table("stage", title=f"from {forecast.basis}, {forecast.problems:,} problems")
    for name in ("requests", "tokens in", "tokens out", "GPU hours"):
        table.add_column(name, justify="right")
    for stage, cost in forecast.costs.items():
        hours = forecast.gpu_hours[stage]
        table.add_row(
            stage.value,
            f"{cost.requests:,.0f}",
            f"{cost.tokens_in:,.0f}",
            f"{cost.tokens_out:,.0f}",
            "unknown" if hours is None else f"{hours:,.2f}",
        )
    table.caption = (
        f"{forecast.kept_problems:,.0f} problems with right and wrong paths, "
        f"{forecast.paths:,.0f} paths, {forecast.kept_paths:,.0f} kept"
    )
    if forecast.binary_completions is not None:
        table.caption += f"; a binary search takes {forecast.binary_completions:,.0f} completions"
    return table


def _funnel(counted: Survey) -> Table:
    table = Table("funnel", "")
    table.columns[1].justify = "right"
    for what, count in funnel(counted):
        table.add_row(what, f"{count:,}")
    return table
