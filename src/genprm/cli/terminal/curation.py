"""A curation on a terminal: its stages with progress, their expected cost, and the funnel."""

import asyncio
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from genprm.curate.cost_plan import CostPlan, PilotEngines, from_assumptions, from_pilot
from genprm.curate.engines import Engines, ProgressCallback
from genprm.curate.folder import Folder
from genprm.curate.pipeline import Pipeline
from genprm.curate.recipe import Curation
from genprm.curate.report import funnel
from genprm.curate.stages import Stage
from genprm.curate.stats import CurationStats, count_stats


def run_stages(
    pipeline: Pipeline,
    stages: list[Stage],
    console: Console,
    status: Callable[[], str] = lambda: "",
) -> None:
    """Run these stages with a progress bar for each; `status` describes the executor's workers."""
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn()
    more = TimeRemainingColumn(), TextColumn("{task.fields[status]}")
    with Progress(*columns, *more, console=console) as progress:

        def begin(stage: Stage, units: int) -> None:
            progress.add_task(stage.value, total=units, status=status())

        def advance() -> None:
            progress.update(progress.task_ids[-1], advance=1, status=status())

        pipeline.progress = ProgressCallback(begin, advance)

        async def run() -> None:
            for stage in stages:
                await pipeline.run(stage)

        asyncio.run(run())


def plan_costs(
    settings: Curation, engines: Engines, out: Path | None, pilot: int, console: Console
) -> CostPlan:
    """The expected cost of the stages, measured on `pilot` problems or assumed by the recipe."""
    assumed = settings.plan.problems
    if assumed is not None and not pilot:
        return from_assumptions(settings, assumed)
    problems = engines.problems()
    if not pilot:
        return from_assumptions(settings, len(problems))
    with ExitStack() as stack:
        path = out or Path(stack.enter_context(TemporaryDirectory()))
        few = Folder(path / f"pilot-{pilot}")
        pilot_engines = PilotEngines(engines, problems, pilot)
        run_stages(Pipeline(settings, few, pilot_engines), list(Stage), console)
        return from_pilot(count_stats(few, settings), settings, len(problems))


def costs_table(found: CostPlan) -> Table:
    """The costs, one stage in each line."""
    table = Table("stage", title=f"from {found.basis}, {found.problems:,} problems")
    for name in ("requests", "tokens in", "tokens out", "GPU hours"):
        table.add_column(name, justify="right")
    for stage, cost in found.costs.items():
        hours = found.gpu_hours[stage]
        table.add_row(
            stage.value,
            f"{cost.requests:,.0f}",
            f"{cost.tokens_in:,.0f}",
            f"{cost.tokens_out:,.0f}",
            "unknown" if hours is None else f"{hours:,.2f}",
        )
    table.caption = (
        f"{found.kept_problems:,.0f} problems with correct and incorrect paths, "
        f"{found.paths:,.0f} paths, {found.kept_paths:,.0f} kept"
    )
    if found.binary_completions is not None:
        table.caption += f"; a binary search takes {found.binary_completions:,.0f} completions"
    return table


def funnel_table(counted: CurationStats) -> Table:
    """How many problems and paths each stage left."""
    table = Table("funnel", "")
    table.columns[1].justify = "right"
    for what, count in funnel(counted):
        table.add_row(what, f"{count:,}")
    return table
