"""`genprm search`: the verifier guides the policy step by step."""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict
from typing import Annotated, Any

import typer
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text
from rich.tree import Tree

from genprm.answer import AnswerChecker
from genprm.cli import options as cli
from genprm.cli.batch import Batch, accuracy, spent
from genprm.cli.engine import open_policy, open_verifier
from genprm.cli.grouping import grouped
from genprm.cli.sources import Source, configuration
from genprm.scale.cost import Budget, Cost
from genprm.scale.rows import search_row
from genprm.scale.search import Searcher, SearchSettings, Strategy
from genprm.scale.tree import children
from genprm.verify.aggregate import Aggregate

Row = dict[str, Any]


@grouped
def search(
    problems: cli.Problems,
    judging: cli.JudgingOptions,
    engine: cli.EngineOptions,
    policy: cli.PolicyOptions,
    strategy: Annotated[
        Strategy, typer.Option(help="Step-level beam search, or diverse verifier tree search.")
    ] = Strategy.BEAM,
    beams: Annotated[int, typer.Option(min=1, help="Solutions that grow at the same time.")] = 4,
    branch: Annotated[int, typer.Option(min=1, help="Next steps sampled for each of them.")] = 4,
    lookahead: Annotated[
        int, typer.Option(min=0, help="Greedy steps that a next step is valued by.")
    ] = 0,
    max_steps: Annotated[int, typer.Option(min=1, help="Of one solution.")] = 40,
    score: cli.Score = Aggregate.MIN,
    policy_budget: cli.PolicyBudget = None,
    verifier_budget: cli.VerifierBudget = None,
    output: cli.Output = None,
    as_json: cli.AsJson = False,
    concurrency: cli.ProblemConcurrency = 4,
) -> None:
    """Write solutions step by step, going on only with steps that the verifier finds right."""
    source = Source.read(problems, None)
    verifying = judging.settings()
    settings = SearchSettings(
        strategy,
        beams,
        branch,
        lookahead,
        max_steps,
        score,
        judging.seed,
        Budget(policy_budget, verifier_budget),
    )

    async def run() -> None:
        async with AsyncExitStack() as stack:
            checker = stack.enter_context(AnswerChecker())
            verifier = await stack.enter_async_context(open_verifier(engine, verifying))
            author = await stack.enter_async_context(
                open_policy(policy.engine(engine.api_key), policy.settings)
            )
            searcher = Searcher(author, verifier, settings)

            async def make(row: int) -> Row:
                problem = source.pools[row].problem
                found = await searcher.search(problem, row=row)
                return await asyncio.to_thread(search_row, row, problem, found, checker=checker)

            await batch.run(make)

    batch = Batch(
        command="search",
        rows=len(source.pools),
        configuration=configuration(
            "search",
            source,
            policy=policy,
            engine=engine,
            judging=verifying,
            search=asdict(settings),
        ),
        concurrency=concurrency,
        output=output,
        as_json=as_json,
        show=draw,
        summarise=_summary,
    )
    asyncio.run(run())


def draw(row: Row) -> RenderableType:
    """A stored tree on a terminal: kept steps bold, the chosen solution's leaf marked."""
    chosen = row["leaves"][0] if row["leaves"] else None
    tree = Tree(Text(row["problem"], "bold"), guide_style="dim")
    _grow(tree, row["tree"], 0, chosen)
    end = f"{row['choice_answer'] or 'no answer'}; {row['ended']}; {spent(Cost.of(row['cost']))}"
    return Padding(Group(tree, Text(f"→ {end}", "dim")), (0, 0, 1, 0))


def _grow(branch: Tree, nodes: Sequence[Row], parent: int, chosen: int | None) -> None:
    for node in children(nodes, parent):
        value = "  —  " if node["value"] is None else f"{node['value']:.3f}"
        times = f" ×{node['count']}" if node["count"] > 1 else ""
        end = " ★" if node["id"] == chosen else " ■" if node["complete"] else ""
        style = "bold" if node["kept"] else "dim"
        color = "green" if (node["reward"] or 0) >= 0.5 else "red"
        step = " ".join(node["step"].split())
        label = Text.assemble((value, color), (f"{times}  {step}{end}", style))
        _grow(branch.add(label), nodes, node["id"], chosen)


def _summary(rows: Sequence[Row]) -> RenderableType:
    total = sum((Cost.of(row["cost"]) for row in rows), Cost())
    return Text(f"{accuracy(rows)}; {spent(total)}")
