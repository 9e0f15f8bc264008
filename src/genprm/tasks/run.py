"""Runs a task: computes rows concurrently, and stores or yields them as they finish."""

from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import TypeVar

from genprm.concurrency import as_finished
from genprm.errors import RequestFailed
from genprm.journal import Journal
from genprm.records.failures import FailedRow
from genprm.tasks.executor import Executor, InProcess
from genprm.tasks.task import Task, spec_of
from genprm.worker import Item, Opened, R

S = TypeVar("S")
OnRow = Callable[[R | FailedRow], None]


async def run_to_file(
    task: Task[Item, R],
    items: Sequence[Item],
    output: Path,
    conclude: Callable[[Iterator[R]], S],
    *,
    concurrency: int,
    executor: Executor = InProcess(),
    retry_failed: bool = False,
    on_begin: Callable[[int], None] = lambda done: None,
    on_row: OnRow[R] = lambda row: None,
) -> tuple[S, int]:
    """Compute the rows that `output` does not hold yet.

    The journal stays in this process wherever the rows are computed, so a run may be started in one
    place and resumed in another. Each engine computes `concurrency` rows at once. `on_begin` gets
    the number of rows that were already there, and `on_row` each new one. At the end, `conclude`
    gets an iterator over all rows in the order of the items; they are never in memory together.

    Returns:
        The result of `conclude`, and the number of rows that failed.

    Raises:
        JournalError: `output` holds another run, or cannot be written to.
        GenprmError: the work failed permanently; finished rows are kept.
    """
    keys = [task.key(row, item) for row, item in enumerate(items)]
    async with executor.open(task, rows_at_once=concurrency) as opened:
        spec = spec_of(task, opened.worker, items)
        with Journal(output, spec, task.row_type, retry_failed=retry_failed) as journal:
            on_begin(len(journal))
            todo = [row for row, key in enumerate(keys) if key not in journal]
            made = make_rows(task, opened, items, todo)
            async with aclosing(made) as rows:
                async for _, new in rows:
                    journal.append(new)
                    on_row(new)
            journal.finish(keys)
            return conclude(journal.rows()), journal.unmade


async def rows_in_order(
    task: Task[Item, R],
    items: Sequence[Item],
    *,
    concurrency: int,
    executor: Executor = InProcess(),
) -> AsyncGenerator[R | FailedRow, None]:
    """Compute all rows and yield them in the order of the items, each as soon as possible."""
    waiting: dict[int, R | FailedRow] = {}
    head = 0
    async with executor.open(task, rows_at_once=concurrency) as opened:
        made = make_rows(task, opened, items, range(len(items)))
        async with aclosing(made) as rows:
            async for row, new in rows:
                waiting[row] = new
                while head in waiting:
                    yield waiting.pop(head)
                    head += 1


async def make_rows(
    task: Task[Item, R],
    opened: Opened[Item, R],
    items: Sequence[Item],
    rows: Iterable[int],
) -> AsyncGenerator[tuple[int, R | FailedRow], None]:
    """Compute these rows, as many at once as suits the worker; a failed one is a `FailedRow`.

    Rows are requested only when there is room, so few are in memory however many are queued.
    """

    async def make(row: int) -> tuple[int, R | FailedRow]:
        item = items[row]
        try:
            return row, await opened.worker.make(row, item)
        except RequestFailed as error:
            key, problem = str(task.key(row, item)), task.problem(item)
            return row, FailedRow(id=key, row=row, problem=problem, failed=str(error))

    async with aclosing(as_finished(map(make, rows), opened.at_once)) as finished:
        async for pair in finished:
            yield pair
