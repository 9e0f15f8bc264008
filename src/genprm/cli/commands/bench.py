"""`genprm bench`: how fast this machine judges, and what the engine could do."""

from typing import Annotated

import typer

from genprm.cli import options as cli
from genprm.cli.grouping import grouped


@grouped
def bench(
    engine: cli.EngineOptions,
    votes: Annotated[int, typer.Option("--votes", "-n", min=1, help="Votes on a step.")] = 8,
    solutions: Annotated[int, typer.Option(min=1, help="Generated solutions to judge.")] = 64,
    reference: Annotated[
        int, typer.Option(min=1, help="Of these, judged one request at a time for comparison.")
    ] = 2,
    repetitions: Annotated[int, typer.Option(min=1, help="Of every measurement.")] = 3,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Measure the judge on this machine against its engine's own limit and the reference's way."""
    import asyncio
    import json
    from dataclasses import asdict, replace
    from itertools import islice

    from genprm.arithmetic.problems import Split, exercises
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
        work = Workload(asked, reference, repetitions, Settings(votes=votes))
        async with (
            load_sandbox(engine.choice.sandbox) as sandbox,
            open_model(replace(choice, name=name)) as model,
        ):
            return await measure(model, sandbox, work, name)

    report = asyncio.run(run())
    if as_json:
        typer.echo(json.dumps(asdict(report)))
    else:
        typer.echo(report_table(report))
