"""Runs a task and shows its rows: on a terminal, as JSON, or in a file that can be resumed."""

import asyncio
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Generic

import typer
from rich.console import Console, RenderableType

from genprm.cli.terminal.progress import RowProgress
from genprm.destination import opened_file
from genprm.records.failures import FailedRow
from genprm.records.pools import Cost, ProblemRow
from genprm.tasks.executor import Executor, InProcess
from genprm.tasks.run import rows_in_order, run_to_file
from genprm.tasks.task import Task
from genprm.worker import Item, R


@dataclass(frozen=True, slots=True)
class Output:
    """Where rows are written: to a file, as JSON to standard output, to both, or to a terminal."""

    file: str | None = None
    as_json: bool = False
    concurrency: int = 16
    retry_failed: bool = False


@dataclass(frozen=True, slots=True)
class Look(Generic[R]):
    """How rows look on a terminal: each row, a summary at the end, and the cost of a row.

    The summary reads the rows once, and keeps none of them.
    """

    render: Callable[[R], RenderableType]
    summarise: Callable[[Iterable[R]], RenderableType]
    cost: Callable[[R], Cost]


def run_task(
    task: Task[Item, R],
    items: Sequence[Item],
    output: Output,
    look: Look[R],
    executor: Executor = InProcess(),
) -> None:
    """Compute the rows and show them; with a file, only those that it does not hold yet."""
    if output.file is None:
        summary, failed = asyncio.run(_to_terminal(task, items, output, look, executor))
    else:
        summary, failed = _to_file(task, items, output, output.file, look, executor)
    if summary is not None:
        Console(stderr=True, highlight=False).print(summary)
    if failed:
        typer.echo(f"genprm: {failed} of {len(items)} rows could not be computed", err=True)


def _to_file(
    task: Task[Item, R],
    items: Sequence[Item],
    output: Output,
    file: str,
    look: Look[R],
    executor: Executor,
) -> tuple[RenderableType | None, int]:
    with (
        opened_file(file) as rows_file,
        RowProgress(task.command, len(items), lambda: executor.status) as progress,
    ):
        cost = Cost()

        def conclude(rows: Iterator[R]) -> RenderableType | None:
            progress.stop()
            if not output.as_json:
                return look.summarise(rows)
            for row in rows:
                typer.echo(row.line(), nl=False)
            return None

        def on_row(row: R | FailedRow) -> None:
            nonlocal cost
            spent_now = Cost() if isinstance(row, FailedRow) else look.cost(row)
            cost += spent_now
            progress.advance(spent_now.tokens, spent(cost))

        return asyncio.run(
            run_to_file(
                task,
                items,
                rows_file,
                conclude,
                concurrency=output.concurrency,
                executor=executor,
                retry_failed=output.retry_failed,
                on_begin=progress.resume,
                on_row=on_row,
            )
        )


async def _to_terminal(
    task: Task[Item, R],
    items: Sequence[Item],
    output: Output,
    look: Look[R],
    executor: Executor,
) -> tuple[RenderableType | None, int]:
    console = Console(highlight=False)
    finished: list[R] = []
    failed = 0
    made = rows_in_order(task, items, concurrency=output.concurrency, executor=executor)
    async with aclosing(made) as rows:
        async for row in rows:
            if output.as_json:
                typer.echo(row.line(), nl=False)
            elif not isinstance(row, FailedRow):
                console.print(look.render(row))
            if isinstance(row, FailedRow):
                failed += 1
                typer.echo(f"genprm: row {row.row}: {json.dumps(row.failed)}", err=True)
            elif not output.as_json:
                finished.append(row)
    return None if output.as_json else look.summarise(finished), failed


def counted(number: int, noun: str) -> str:
    """Such as `1 problem` or `1,200 problems`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def spent(cost: Cost) -> str:
    """The cost as text, such as `12 policy + 340 verifier tokens, 3 executions`."""
    parts = [f"{cost.policy.tokens_out:,} policy"] if cost.policy.tokens_out else []
    if cost.verifier.tokens_out:
        parts.append(f"{cost.verifier.tokens_out:,} verifier")
    runs = f", {cost.verifier.executions:,} executions" if cost.verifier.executions else ""
    return f"{' + '.join(parts) or '0'} tokens{runs}"


class Tally:
    """Sums the costs of rows, and counts correct choices where the gold answer is known."""

    def __init__(self) -> None:
        self._rows = self._graded = self._right = 0
        self._cost = Cost()

    def add(self, row: ProblemRow, choice: int | None) -> None:
        """Count one more row, in which this sample was chosen."""
        self._rows += 1
        self._cost += row.cost
        if row.correct is not None:
            self._graded += 1
            self._right += choice is not None and row.correct[choice]

    def __str__(self) -> str:
        if not self._graded:
            return f"{counted(self._rows, 'problem')}; {spent(self._cost)}"
        share = 100 * self._right / self._graded
        return f"{self._right} of {self._graded} correct ({share:.1f} %); {spent(self._cost)}"
