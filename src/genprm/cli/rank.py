"""`genprm rank`: Best-of-N. Judge a policy's samples and choose one."""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import Annotated, Any

import typer
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from genprm.answer import AnswerChecker
from genprm.cli import options as cli
from genprm.cli.batch import Batch, accuracy, spent
from genprm.cli.engine import open_policy, open_verifier
from genprm.cli.grouping import grouped
from genprm.cli.sources import Source, configuration
from genprm.errors import InputError
from genprm.scale import pool as pools
from genprm.scale.best_of_n import Method, judge_all, judge_best_first
from genprm.scale.cost import Cost
from genprm.scale.rows import ranking_row
from genprm.verify.aggregate import Aggregate

Row = dict[str, Any]


@grouped
def rank(
    judging: cli.JudgingOptions,
    engine: cli.EngineOptions,
    policy: cli.PolicyOptions,
    problems: cli.Problems = None,
    samples: cli.Samples = None,
    count: Annotated[
        int, typer.Option("--count", "-k", min=1, help="Samples of each problem: N.")
    ] = 8,
    method: Annotated[Method, typer.Option(help="How the answer is chosen.")] = Method.BEST_OF_N,
    score: cli.Score = Aggregate.MIN,
    early_abandon: Annotated[
        bool,
        typer.Option(
            "--early-abandon", help="Judge no further what can no longer win (best-of-n only)."
        ),
    ] = False,
    output: cli.Output = None,
    as_json: cli.AsJson = False,
    concurrency: cli.ProblemConcurrency = 4,
) -> None:
    """Choose among N solutions of each problem: the policy's samples, or stored ones."""
    if early_abandon and method is not Method.BEST_OF_N:
        raise InputError(f"--early-abandon: {method} needs every score; fix: leave it out")
    source = Source.read(problems, samples)
    verifying = judging.settings()
    writer = None if source.stored else policy

    async def run() -> None:
        async with AsyncExitStack() as stack:
            checker = stack.enter_context(AnswerChecker())
            verifier = await stack.enter_async_context(open_verifier(engine, verifying))
            author = (
                await stack.enter_async_context(
                    open_policy(writer.engine(engine.api_key), writer.settings)
                )
                if writer
                else None
            )

            async def make(row: int) -> Row:
                if author is None:
                    pool = source.first(row, count)
                else:
                    problem = source.pools[row].problem
                    pool = await pools.draw(author, problem, count, seed=judging.seed, row=row)
                if early_abandon:
                    candidates = await judge_best_first(verifier, pool, score, row=row)
                else:
                    candidates = await judge_all(verifier, pool, row=row)
                return await asyncio.to_thread(
                    ranking_row, row, pool, candidates, method=method, score=score, checker=checker
                )

            await batch.run(make)

    batch = Batch(
        command="rank",
        rows=len(source.pools),
        configuration=configuration(
            "rank",
            source,
            policy=writer,
            engine=engine,
            judging=verifying,
            count=count,
            method=method,
            score=score,
            early_abandon=early_abandon,
        ),
        concurrency=concurrency,
        output=output,
        as_json=as_json,
        show=_show,
        summarise=_summary,
    )
    asyncio.run(run())


def _show(row: Row) -> RenderableType:
    table = Table(box=None, pad_edge=False)
    for name in ("", "answer", "score of steps", ""):
        table.add_column(name)
    for index, answer in enumerate(row["extracted"]):
        rewards = row["prm_step_scores"]["genprm"][index]
        right = row["correct"][index] if "correct" in row else None
        chosen = index == row["choice"]
        table.add_row(
            "→" if chosen else "",
            answer or "—",
            " ".join("—" if reward is None else f"{reward:.2f}" for reward in rewards),
            {True: "✓", False: "✗", None: ""}[right],
            style="bold" if chosen else None,
        )
    cost = Text(spent(Cost.of(row["cost"])), "dim")
    return Group(Text(row["problem"]), Padding(Group(table, cost), (0, 0, 1, 2)))


def _summary(rows: Sequence[Row]) -> RenderableType:
    graded = [row for row in rows if "correct" in row]
    table = Table(box=None, pad_edge=False)
    for name in ("choice", "right", "%"):
        table.add_column(name, justify="left" if name == "choice" else "right")
    for name in graded[0]["choices"] if graded else ():
        picks = [(row["choices"][name], row["correct"]) for row in graded]
        right = sum(pick is not None and correct[pick] for pick, correct in picks)
        table.add_row(name, str(right), f"{100 * right / len(graded):.1f}")
    if graded:
        possible = sum(any(row["correct"]) for row in graded)
        table.add_row("any (Pass@N)", str(possible), f"{100 * possible / len(graded):.1f}")
    total = sum((Cost.of(row["cost"]) for row in rows), Cost())
    return Group(table, Text(f"{accuracy(rows)}; {spent(total)}"))
