"""`genprm sample`: draw the solutions that rank, refine and search then share."""

import asyncio
from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated, Any

import typer
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from genprm.answer import AnswerChecker
from genprm.cli import options as cli
from genprm.cli.batch import Batch
from genprm.cli.engine import open_policy
from genprm.cli.grouping import grouped
from genprm.cli.sources import Source, configuration
from genprm.scale import pool as pools
from genprm.scale.cost import Cost
from genprm.verdict import total

Row = dict[str, Any]


@grouped
def sample(
    problems: Annotated[str, typer.Argument(metavar="PROBLEMS|-", help="JSON rows.")],
    policy: cli.PolicyOptions,
    count: Annotated[int, typer.Option("--count", "-k", min=1, help="For each problem.")] = 32,
    output: cli.Output = None,
    as_json: cli.AsJson = False,
    seed: Annotated[int, typer.Option(help="Of all sampling.")] = 0,
    concurrency: cli.ProblemConcurrency = 8,
    api_key: cli.ApiKey = None,
) -> None:
    """Draw solutions of every problem from a policy, and grade them where the answer is known."""
    source = Source.read(problems, None)

    async def run() -> None:
        with AnswerChecker() as checker:
            async with open_policy(policy.engine(api_key), policy.settings) as writer:

                async def make(row: int) -> Row:
                    problem = source.pools[row].problem
                    pool = await pools.draw(writer, problem, count, seed=seed, row=row)
                    return await asyncio.to_thread(_row, row, pool, checker)

                await batch.run(make)

    batch = Batch(
        command="sample",
        rows=len(source.pools),
        configuration=configuration(
            "sample", source, policy=policy, engine=None, judging=None, count=count, seed=seed
        ),
        concurrency=concurrency,
        output=output,
        as_json=as_json,
        show=_show,
        summarise=_summary,
    )
    asyncio.run(run())


def _row(row: int, pool: pools.Pool, checker: AnswerChecker) -> Row:
    answers = [pools.final_answer(sample) for sample in pool.samples]
    usage = total(sample.usage for sample in pool.samples)
    graded: Row = {"extracted": answers, **pools.graded(pool.problem, answers, checker)}
    return {**pools.to_row(row, pool), **graded, "cost": asdict(Cost(policy=usage))}


def _show(row: Row) -> RenderableType:
    marks = [{True: "✓", False: "✗"}[right] for right in row.get("correct", [])]
    lines = [
        Text(f"{' '.join(marks[index : index + 1])} {answer or '(no answer)'}")
        for index, answer in enumerate(row["extracted"])
    ]
    return Group(Text(row["problem"], "bold"), Padding(Group(*lines), (0, 0, 1, 2)))


def _summary(rows: Sequence[Row]) -> RenderableType:
    graded = [right for row in rows for right in row.get("correct", [])]
    text = f"{len(rows)} problems, {sum(len(row['responses']) for row in rows)} solutions"
    if graded:
        passed = sum(any(row["correct"]) for row in rows if "correct" in row)
        text += f"; Pass@1 {100 * sum(graded) / len(graded):.1f} %, {passed} solved at least once"
    return text
