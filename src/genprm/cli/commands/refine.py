"""`genprm refine`: the verifier criticises, and the policy answers again."""

from typing import Annotated

import typer

from genprm.cli import options as cli
from genprm.cli.executor_options import ExecutorOptions
from genprm.cli.grouping import grouped
from genprm.cli.judging_options import JudgingOptions
from genprm.cli.policy_options import PolicyOptions
from genprm.scale.methods import Critic, Keep, Rewrite
from genprm.verify.aggregate import Aggregate


@grouped
def refine(
    judging: JudgingOptions,
    engine: cli.EngineOptions,
    policy: PolicyOptions,
    writing: cli.OutputOptions,
    executing: ExecutorOptions,
    problems: cli.Problems = None,
    samples: cli.Samples = None,
    turns: Annotated[
        int, typer.Option("--turns", "-t", min=0, help="How often the first answer is rewritten.")
    ] = 3,
    keep: Annotated[
        Keep, typer.Option(help="Which answer the next turn rewrites, and which is the final one.")
    ] = Keep.BEST,
    critic: Annotated[
        Critic, typer.Option(help="Who writes the critique that the policy receives.")
    ] = Critic.VERIFIER,
    rewrite: Annotated[
        Rewrite, typer.Option(help="How much of its answer the policy writes again.")
    ] = Rewrite.WHOLE,
    score: cli.Score = Aggregate.MIN,
    policy_budget: cli.PolicyBudget = None,
    verifier_budget: cli.VerifierBudget = None,
    concurrency: cli.ProblemConcurrency = 16,
    skip_bad_rows: cli.SkipBadRows = False,
) -> None:
    """Let the policy answer again, given the analysis of its first wrong step."""
    from genprm.cli.inputs import read_items
    from genprm.cli.terminal.pools import REFINEMENTS
    from genprm.cli.terminal.rows import run_task
    from genprm.cli.terminal.unfamiliar import warn_of_unfamiliar
    from genprm.scale.budget import Budget
    from genprm.scale.refine import RefineSettings
    from genprm.tasks.scaling import RefineTask

    budget = Budget(policy_budget, verifier_budget)
    settings = RefineSettings(turns, keep, critic, rewrite, score, judging.seed, budget)
    judged = engine.judged(judging.settings(stop_at_first_error=True))
    task = RefineTask(judged, policy.choice(engine.api_key), settings)
    items = read_items(problems, samples, skip_bad_rows=skip_bad_rows)
    warn_of_unfamiliar(judged.choice, judged.settings, (item.problem.text for item in items))
    with executing.opened() as executor:
        run_task(task, items, writing.at(concurrency), REFINEMENTS, executor)
