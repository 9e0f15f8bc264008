"""`genprm refine`: the verifier criticises, the policy answers again."""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict
from typing import Annotated, Any

import typer
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from genprm.answer import AnswerChecker
from genprm.cli import options as cli
from genprm.cli.batch import Batch, accuracy, spent
from genprm.cli.engine import open_policy, open_verifier
from genprm.cli.grouping import grouped
from genprm.cli.sources import Source, configuration
from genprm.scale.cost import Budget, Cost
from genprm.scale.refine import Critic, Keep, Refiner, RefineSettings, Rewrite
from genprm.scale.rows import refinement_row
from genprm.verify.aggregate import Aggregate

Row = dict[str, Any]


@grouped
def refine(
    judging: cli.JudgingOptions,
    engine: cli.EngineOptions,
    policy: cli.PolicyOptions,
    problems: cli.Problems = None,
    samples: cli.Samples = None,
    turns: Annotated[
        int, typer.Option("--turns", "-t", min=0, help="Answers after the first one.")
    ] = 3,
    keep: Annotated[
        Keep, typer.Option(help="Which answer a turn rewrites and the end gives.")
    ] = Keep.BEST,
    critic: Annotated[Critic, typer.Option(help="Who criticises.")] = Critic.VERIFIER,
    rewrite: Annotated[Rewrite, typer.Option(help="What the policy writes again.")] = Rewrite.WHOLE,
    score: cli.Score = Aggregate.MIN,
    policy_budget: cli.PolicyBudget = None,
    verifier_budget: cli.VerifierBudget = None,
    output: cli.Output = None,
    as_json: cli.AsJson = False,
    concurrency: cli.ProblemConcurrency = 16,
) -> None:
    """Answer, judge, hand the first wrong step's analysis back, answer again."""
    source = Source.read(problems, samples)
    verifying = judging.settings(stop_at_first_error=True)
    budget = Budget(policy_budget, verifier_budget)
    settings = RefineSettings(turns, keep, critic, rewrite, score, judging.seed, budget)

    async def run() -> None:
        async with AsyncExitStack() as stack:
            checker = stack.enter_context(AnswerChecker())
            verifier = await stack.enter_async_context(open_verifier(engine, verifying))
            author = await stack.enter_async_context(
                open_policy(policy.engine(engine.api_key), policy.settings)
            )
            refiner = Refiner(author, verifier, settings)

            async def make(row: int) -> Row:
                pool = source.pools[row]
                first = pool.samples[0] if pool.samples else None
                found = await refiner.refine(pool.problem, row=row, first=first)
                return await asyncio.to_thread(
                    refinement_row, row, pool.problem, found, critic=critic, checker=checker
                )

            await batch.run(make)

    batch = Batch(
        command="refine",
        rows=len(source.pools),
        configuration=configuration(
            "refine",
            source,
            policy=policy,
            engine=engine,
            judging=verifying,
            refine=asdict(settings),
        ),
        concurrency=concurrency,
        output=output,
        as_json=as_json,
        show=_show,
        summarise=_summary,
    )
    asyncio.run(run())


def _show(row: Row) -> RenderableType:
    parts: list[RenderableType] = [Text(row["problem"], "bold")]
    for index, turn in enumerate(row["turns"]):
        if turn["request"] is not None:
            parts.append(Padding(Text(turn["request"], "italic yellow"), (0, 0, 0, 4)))
        score = "" if turn["score"] is None else f"  score {turn['score']:.3f}"
        right = row["correct"][index] if "correct" in row else None
        mark = {True: "  ✓", False: "  ✗", None: ""}[right]
        style = "bold" if index == row["choice"] else ""
        parts.append(Padding(Text(turn["text"], style), (0, 0, 0, 2)))
        parts.append(Padding(Text(f"turn {index}{score}{mark}", "dim"), (0, 0, 0, 2)))
    parts.append(Text(f"{row['ended']}; {spent(Cost.of(row['cost']))}", "dim"))
    return Padding(Group(*parts), (0, 0, 1, 0))


def _summary(rows: Sequence[Row]) -> RenderableType:
    lines = []
    graded = [row for row in rows if "correct" in row]
    for turn in range(max((len(row["turns"]) for row in graded), default=0)):
        right = sum(row["correct"][min(turn, len(row["turns"]) - 1)] for row in graded)
        lines.append(Text(f"latest answer after turn {turn}: {100 * right / len(graded):.1f} %"))
    total = sum((Cost.of(row["cost"]) for row in rows), Cost())
    return Group(*lines, Text(f"{accuracy(rows)}; {spent(total)}"))
