"""`genprm sample`: draw the solutions that rank, refine and search then share."""

from typing import Annotated

import typer

from genprm.cli import options as cli
from genprm.cli.executor_options import ExecutorOptions
from genprm.cli.grouping import grouped
from genprm.cli.policy_options import PolicyOptions


@grouped
def sample(
    problems: Annotated[
        str, typer.Argument(metavar="PROBLEMS|-", help="Problems, as JSON rows; - for stdin.")
    ],
    policy: PolicyOptions,
    writing: cli.OutputOptions,
    executing: ExecutorOptions,
    count: Annotated[
        int, typer.Option("--count", "-k", min=1, help="Solutions to draw for each problem.")
    ] = 32,
    seed: Annotated[int, typer.Option(help="Seed of all sampling.")] = 0,
    concurrency: cli.ProblemConcurrency = 8,
    skip_bad_rows: cli.SkipBadRows = False,
    api_key: cli.ApiKey = None,
) -> None:
    """Draw solutions of every problem from a policy, and grade them where the answer is known."""
    from genprm.cli.inputs import read_items
    from genprm.cli.terminal.pools import POOLS
    from genprm.cli.terminal.rows import run_task
    from genprm.tasks.scaling import SampleTask

    items = read_items(problems, None, skip_bad_rows=skip_bad_rows)
    task = SampleTask(policy.choice(api_key), count, seed)
    with executing.opened() as executor:
        run_task(task, items, writing.at(concurrency), POOLS, executor)
