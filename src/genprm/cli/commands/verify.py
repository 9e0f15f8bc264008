"""`genprm verify`: judge the steps of the solutions in a file."""

from typing import Annotated

import typer

from genprm.cli import options as cli
from genprm.cli.executor_options import ExecutorOptions
from genprm.cli.grouping import grouped
from genprm.cli.judging_options import JudgingOptions


@grouped
def verify(
    source: Annotated[
        str,
        typer.Argument(
            metavar="FILE|-", help="Solutions: JSON, JSON Lines or a text file; - for stdin."
        ),
    ],
    judging: JudgingOptions,
    engine: cli.EngineOptions,
    writing: cli.OutputOptions,
    executing: ExecutorOptions,
    stop_at_first_error: cli.StopAtFirstError = False,
    concurrency: cli.Concurrency = 16,
    skip_bad_rows: cli.SkipBadRows = False,
) -> None:
    """Judge every step of a solution: analyse it, check it with code, say whether it is correct."""
    from genprm.cli.inputs import counted_bad_rows
    from genprm.cli.terminal.rows import run_task
    from genprm.cli.terminal.unfamiliar import warn_of_unfamiliar
    from genprm.cli.terminal.verdicts import VERDICTS, print_verdicts
    from genprm.dataset import read_solutions
    from genprm.tasks.verifying import VerifyTask

    with counted_bad_rows(skip=skip_bad_rows) as bad:
        solutions = read_solutions(source, bad)
    settings = judging.settings(stop_at_first_error=stop_at_first_error)
    task = VerifyTask(engine.choice, settings)
    warn_of_unfamiliar(task.choice, settings, (one.problem for one in solutions))
    output = writing.at(concurrency)
    if output.file is None and not output.as_json and executing.is_local:
        print_verdicts(task, solutions, concurrency=concurrency)
        return
    with executing.opened() as executor:
        run_task(task, solutions, output, VERDICTS, executor)
