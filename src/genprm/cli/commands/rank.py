"""`genprm rank`: Best-of-N, which judges a policy's samples and chooses one."""

from typing import Annotated

import typer

from genprm.cli import options as cli
from genprm.cli.executor_options import ExecutorOptions
from genprm.cli.grouping import grouped
from genprm.cli.judging_options import JudgingOptions
from genprm.cli.policy_options import PolicyOptions
from genprm.errors import InputError
from genprm.scale.methods import Method
from genprm.verify.aggregate import Aggregate


@grouped
def rank(
    judging: JudgingOptions,
    engine: cli.EngineOptions,
    policy: PolicyOptions,
    writing: cli.OutputOptions,
    executing: ExecutorOptions,
    problems: cli.Problems = None,
    samples: cli.Samples = None,
    count: Annotated[
        int,
        typer.Option(
            "--count", "-k", min=1, help="How many samples of each problem to choose from (N)."
        ),
    ] = 8,
    method: Annotated[Method, typer.Option(help="How the answer is chosen.")] = Method.BEST_OF_N,
    score: cli.Score = Aggregate.MIN,
    early_abandon: Annotated[
        bool,
        typer.Option(
            "--early-abandon",
            help="Stop judging a sample once it can no longer win (best-of-n only).",
        ),
    ] = False,
    concurrency: cli.ProblemConcurrency = 4,
    skip_bad_rows: cli.SkipBadRows = False,
) -> None:
    """Choose the best of N solutions of each problem, sampled now or stored earlier."""
    from genprm.cli.inputs import read_items
    from genprm.cli.terminal.pools import RANKINGS
    from genprm.cli.terminal.rows import run_task
    from genprm.cli.terminal.unfamiliar import warn_of_unfamiliar
    from genprm.tasks.scaling import RankSettings, RankTask

    if early_abandon and method is not Method.BEST_OF_N:
        raise InputError(f"--early-abandon: {method} needs every score; fix: leave the option out")
    items = read_items(problems, samples, skip_bad_rows=skip_bad_rows)
    by = None if samples else policy.choice(engine.api_key)
    ranking = RankSettings(count, method, score, early_abandon)
    judged = engine.judged(judging.settings())
    task = RankTask(judged, by, ranking)
    warn_of_unfamiliar(judged.choice, judged.settings, (item.problem.text for item in items))
    with executing.opened() as executor:
        run_task(task, items, writing.at(concurrency), RANKINGS, executor)
