"""`genprm search`: the verifier guides the policy step by step."""

from typing import Annotated

import typer

from genprm.cli import options as cli
from genprm.cli.executor_options import ExecutorOptions
from genprm.cli.grouping import grouped
from genprm.cli.judging_options import JudgingOptions
from genprm.cli.policy_options import PolicyOptions
from genprm.scale.methods import Strategy
from genprm.verify.aggregate import Aggregate


@grouped
def search(
    problems: cli.Problems,
    judging: JudgingOptions,
    engine: cli.EngineOptions,
    policy: PolicyOptions,
    writing: cli.OutputOptions,
    executing: ExecutorOptions,
    strategy: Annotated[
        Strategy,
        typer.Option(help="Step-level beam search, or diverse verifier tree search (dvts)."),
    ] = Strategy.BEAM,
    beams: Annotated[
        int, typer.Option(min=1, help="How many solutions grow at the same time.")
    ] = 4,
    branch: Annotated[
        int, typer.Option(min=1, help="How many next steps are sampled for each of them.")
    ] = 4,
    lookahead: Annotated[
        int,
        typer.Option(min=0, help="How many greedy steps to add before a next step is valued."),
    ] = 0,
    max_steps: Annotated[
        int, typer.Option(min=1, help="The most steps that a solution may have.")
    ] = 40,
    score: cli.Score = Aggregate.MIN,
    policy_budget: cli.PolicyBudget = None,
    verifier_budget: cli.VerifierBudget = None,
    concurrency: cli.ProblemConcurrency = 4,
    skip_bad_rows: cli.SkipBadRows = False,
) -> None:
    """Write solutions step by step, and continue only the steps that the verifier rates best."""
    from genprm.cli.inputs import read_items
    from genprm.cli.terminal.pools import SEARCHES
    from genprm.cli.terminal.rows import run_task
    from genprm.cli.terminal.unfamiliar import warn_of_unfamiliar
    from genprm.scale.budget import Budget
    from genprm.scale.search import SearchSettings
    from genprm.tasks.scaling import SearchTask

    budget = Budget(policy_budget, verifier_budget)
    settings = SearchSettings(
        strategy, beams, branch, lookahead, max_steps, score, judging.seed, budget
    )
    judged = engine.judged(judging.settings())
    task = SearchTask(judged, policy.choice(engine.api_key), settings)
    items = read_items(problems, None, skip_bad_rows=skip_bad_rows)
    warn_of_unfamiliar(judged.choice, judged.settings, (item.problem.text for item in items))
    with executing.opened() as executor:
        run_task(task, items, writing.at(concurrency), SEARCHES, executor)
