"""`genprm bench`: how fast this machine judges, compared with what its engine could do."""

from pathlib import Path
from typing import Annotated

import typer

from genprm.cli import options as cli
from genprm.cli.grouping import grouped


@grouped
def bench(
    engine: cli.EngineOptions,
    votes: Annotated[int, typer.Option("--votes", "-n", min=1, help="Votes on each step.")] = 8,
    solutions: Annotated[
        int, typer.Option(min=1, help="How many generated solutions are judged.")
    ] = 64,
    reference: Annotated[
        int,
        typer.Option(
            min=1, help="How many of them are also judged as the reference does, which is slow."
        ),
    ] = 2,
    reference_engine_arg: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KEY=VALUE",
            help="Like --engine-arg, for a second engine that only the reference's control flow "
            "uses; with prefix_caching=false it does not reuse prefixes.",
        ),
    ] = None,
    repetitions: Annotated[int, typer.Option(min=1, help="How often everything is measured.")] = 3,
    figure: Annotated[
        Path | None, typer.Option(help="Draw the rates into this SVG, PDF or PNG file.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Compare the judge's speed on this machine with its engine's and the reference's."""
    import asyncio
    import json
    from contextlib import nullcontext
    from dataclasses import asdict, replace
    from itertools import islice

    from genprm.arithmetic.problems import Split, exercises
    from genprm.bench.figure import bench_figure
    from genprm.bench.run import Report, Workload, measure
    from genprm.cli.terminal.bench import report_table
    from genprm.compose import DEFAULT, SHIPPED, open_model
    from genprm.problem import Solution
    from genprm.sandboxes.load import load_sandbox
    from genprm.verify.settings import Settings

    drawn = islice(exercises(20_250_404, Split.HELD_OUT), solutions)
    asked = [Solution(exercise.problem, exercise.steps) for exercise in drawn]
    choice = engine.choice.model
    name = SHIPPED if choice.name == DEFAULT else choice.name

    async def run() -> Report:
        settings = Settings(votes=votes)
        work = Workload(asked, reference, repetitions, settings, tuple(reference_engine_arg or ()))
        named = replace(choice, name=name)
        args = (*choice.engine_args, *work.reference_engine_args)
        second = open_model(replace(named, engine_args=args))
        async with (
            load_sandbox(engine.choice.sandbox) as sandbox,
            open_model(named) as model,
            second if work.reference_engine_args else nullcontext(model) as reference_model,
        ):
            return await measure(model, reference_model, sandbox, work, name)

    report = asyncio.run(run())
    if figure is not None:
        bench_figure(report, figure)
    if as_json:
        typer.echo(json.dumps(asdict(report)))
    else:
        typer.echo(report_table(report))
