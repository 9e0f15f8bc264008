"""Runs a task and shows its rows: on a terminal, as JSON, or in a file that can be resumed."""

import asyncio
import json
from collections.abc import Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import Generic

import typer
from rich.console import Console, RenderableType

from genprm.cli.terminal.progress import RowProgress
from genprm.records.failures import FailedRow
from genprm.records.pools import Cost, ProblemRow
from genprm.tasks.executor import Executor, InProcess
from genprm.tasks.run import rows_in_order, run_to_file
from genprm.tasks.task import Task
from genprm.worker import Item, R


@dataclass(frozen=True, slots=True)
class Output:
    """Where rows go: to a file, as JSON to standard output, or both; else to the terminal."""

    file: Path | None = None
    as_json: bool = False
    concurrency: int = 16
    retry_failed: bool = False


@dataclass(frozen=True, slots=True)
class Look(Generic[R]):
    """How rows look on a terminal: each one, all of them after the last, and a row's cost."""

    show: Callable[[R], RenderableType]
    summarise: Callable[[Sequence[R]], RenderableType]
    cost: Callable[[R], Cost]


def run_task(
    task: Task[Item, R],
    items: Sequence[Item],
    output: Output,
    look: Look[R],
    executor: Executor = InProcess(),
) -> None:
    """Make the rows and show them; with a file, only those that it does not hold yet."""
    if output.file is None:
        finished, failed = asyncio.run(_to_terminal(task, items, output, look, executor))
    else:
        finished, failed = _to_file(task, items, output, output.file, look, executor)
    if not output.as_json:
        Console(stderr=True, highlight=False).print(look.summarise(finished))
    if failed:
        typer.echo(f"genprm: {failed} of {len(items)} rows could not be made", err=True)


def _to_file(
    task: Task[Item, R],
    items: Sequence[Item],
    output: Output,
    file: Path,
    look: Look[R],
    executor: Executor,
) -> tuple[list[R], int]:
    with RowProgress(task.command, len(items), lambda: executor.status) as progress:
        cost = Cost()

        def on_row(row: R | FailedRow) -> None:
            nonlocal cost
            spent_now = Cost() if isinstance(row, FailedRow) else look.cost(row)
            cost += spent_now
            progress.advance(spent_now.tokens, spent(cost))

        finished, failed = asyncio.run(
            run_to_file(
                task,
                items,
                file,
                concurrency=output.concurrency,
                executor=executor,
                retry_failed=output.retry_failed,
                on_begin=progress.resume,
                on_row=on_row,
            )
        )
    if output.as_json:
        for row in finished:
            typer.echo(row.line(), nl=False)
    return finished, failed


async def _to_terminal(
    task: Task[Item, R],
    items: Sequence[Item],
    output: Output,
    look: Look[R],
    executor: Executor,
) -> tuple[list[R], int]:
    console = Console(highlight=False)
    finished: list[R] = []
    failed = 0
    made = rows_in_order(task, items, concurrency=output.concurrency, executor=executor)
    async with aclosing(made) as rows:
        async for row in rows:
            if output.as_json:
                typer.echo(row.line(), nl=False)
            elif not isinstance(row, FailedRow):
                console.print(look.show(row))
            if isinstance(row, FailedRow):
                failed += 1
                typer.echo(f"genprm: row {row.row}: {json.dumps(row.failed)}", err=True)
            else:
                finished.append(row)
    return finished, failed


def spent(cost: Cost) -> str:
    """A cost in words."""
    parts = [f"{cost.policy.tokens_out:,} policy"] if cost.policy.tokens_out else []
    if cost.verifier.tokens_out:
        parts.append(f"{cost.verifier.tokens_out:,} verifier")
    runs = f", {cost.verifier.executions:,} executions" if cost.verifier.executions else ""
    return f"{' + '.join(parts) or '0'} tokens{runs}"


def accuracy(rows: Sequence[ProblemRow], choices: Sequence[int | None]) -> str:
    """How many choices are right, among the rows whose gold answer is known."""
    pairs = zip(rows, choices, strict=True)
    graded = [(row.correct, choice) for row, choice in pairs if row.correct is not None]
    right = sum(choice is not None and correct[choice] for correct, choice in graded)
    if not graded:
        return f"{len(rows)} problems"
    return f"{right} of {len(graded)} right ({100 * right / len(graded):.1f} %)"
