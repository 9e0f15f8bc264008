"""`genprm curate`: from problems to chats that train a verifier."""

from contextlib import nullcontext
from pathlib import Path
from typing import Annotated

import typer

from genprm.cli import options as cli
from genprm.cli.executor_options import ExecutorOptions
from genprm.cli.grouping import grouped
from genprm.curate.stages import Stage
from genprm.errors import InputError
from genprm.extras import require


@grouped
def curate(
    recipe: Annotated[
        Path, typer.Argument(metavar="RECIPE.toml", help="The recipe; recipes/ has examples.")
    ],
    executing: ExecutorOptions,
    out: Annotated[
        str | None,
        typer.Option(
            "--out",
            "-o",
            metavar="FOLDER",
            help="Folder for all stages, which may be a URL such as s3://BUCKET/FOLDER. Run the "
            "same command again to resume an interrupted run.",
        ),
    ] = None,
    stage: Annotated[
        list[Stage] | None, typer.Option(help="Run only this stage; may be repeated.")
    ] = None,
    source: Annotated[
        Path | None,
        typer.Option(
            "--from",
            help="Folder of another curation, whose finished stages are reused wherever they would "
            "be the same.",
        ),
    ] = None,
    plan: Annotated[
        bool, typer.Option("--plan", help="Print what the stages will cost, and run none of them.")
    ] = False,
    pilot: Annotated[
        int,
        typer.Option(
            min=0,
            help="With --plan: measure the cost on this many problems; with 0, use the recipe's "
            "assumptions.",
        ),
    ] = 0,
    retry_failed: Annotated[
        bool,
        typer.Option(
            "--retry-failed",
            help="Repeat requests that failed, in stages that no later request has used.",
        ),
    ] = False,
    api_key: cli.ApiKey = None,
    sandbox: cli.Tier = "auto",
    skip_bad_rows: cli.SkipBadRows = False,
) -> None:
    """Make training data: solutions, rollouts, labels, rationales, consensus, chats."""
    from rich.console import Console

    from genprm.cli.inputs import counted_bad_rows
    from genprm.cli.recipes import read_curation
    from genprm.cli.terminal.curation import costs_table, funnel_table, plan_costs, run_stages
    from genprm.curate.cost_plan import CostPlan
    from genprm.curate.dead_ends import NothingUsable
    from genprm.curate.folder import Folder
    from genprm.curate.pipeline import Pipeline
    from genprm.curate.publish import publish
    from genprm.curate.report import write_report
    from genprm.curate.stats import count_stats
    from genprm.destination import opened_folder
    from genprm.tasks.curating import ExecutorWorkers, StageWork
    from genprm.tasks.recipe_engines import RecipeEngines

    settings = read_curation(recipe)
    with counted_bad_rows(skip=skip_bad_rows) as bad:
        engines = RecipeEngines(settings, api_key=api_key, sandbox=sandbox, bad=bad)
        if skip_bad_rows:  # they are read now and once, so that those left out are told once
            engines.problems()
    console = Console(stderr=True, highlight=False)
    if plan:
        with opened_folder(out) if out else nullcontext() as work:
            costs = plan_costs(settings, engines, work, pilot, console)
            if work is not None:
                costs.store(work / "plan.json")
        Console(highlight=False).print(costs_table(costs))
        return
    if out is None:
        raise InputError("there is no folder to work in; fix: name one with --out FOLDER")
    require("datasets", "pyarrow", extra="curate")  # publishing needs them, hours from now
    with opened_folder(out) as work:
        folder = Folder(work, None if source is None else Folder(source))
        fault: NothingUsable | None = None
        try:
            with executing.opened() as executor:
                workers = ExecutorWorkers(executor, StageWork(settings, api_key, sandbox))
                pipeline = Pipeline(
                    settings, folder, engines, retry_failed=retry_failed, workers=workers
                )
                run_stages(pipeline, stage or list(Stage), console, lambda: executor.status)
        except NothingUsable as error:
            fault = error  # said last, after the report that shows examples
        counted = count_stats(folder, settings)
        report = write_report(folder, settings, counted, CostPlan.load(work / "plan.json"))
        console.print(funnel_table(counted))
        console.print(f"report → {out}/{report.relative_to(work)}")
        if fault is not None:
            raise fault
        if folder.is_done(Stage.CHATS):
            published = publish(folder, settings, counted)
            console.print(f"data set → {out}/{published.relative_to(work)}")
