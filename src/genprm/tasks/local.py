"""Runs a task in this process: rows made concurrently, journalled or handed over as they finish."""

from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from contextlib import aclosing
from pathlib import Path

from genprm.concurrency import as_finished
from genprm.errors import RequestFailed
from genprm.journal import Journal
from genprm.records.failures import FailedRow
from genprm.tasks.task import Item, R, Task, Worker, spec_of

OnRow = Callable[[R | FailedRow], None]


async def run_to_file(
    task: Task[Item, R],
    items: Sequence[Item],
    output: Path,
    *,
    concurrency: int,
    retry_failed: bool = False,
    on_begin: Callable[[int], None] = lambda done: None,
    on_row: OnRow[R] = lambda row: None,
) -> tuple[list[R], int]:
    """Make the rows that `output` does not hold yet.

    `on_begin` is told how many rows were there, `on_row` of each new one.

    Returns:
        All rows in the order of the items, and how many could not be made.

    Raises:
        JournalError: `output` holds another run, or cannot be written.
        GenprmError: the work failed for good; finished rows are kept.
    """
    keys = [task.key(row, item) for row, item in enumerate(items)]
    async with task.open() as worker:
        spec = spec_of(task, worker, items)
        with Journal(output, spec, task.row_type, retry_failed=retry_failed) as journal:
            on_begin(len(journal))
            todo = [row for row, key in enumerate(keys) if key not in journal]
            made = make_rows(task, worker, items, todo, concurrency=concurrency)
            async with aclosing(made) as rows:
                async for _, new in rows:
                    journal.append(new)
                    on_row(new)
            journal.finish(keys)
            return list(journal.rows()), journal.unmade


async def rows_in_order(
    task: Task[Item, R], items: Sequence[Item], *, concurrency: int
) -> AsyncGenerator[R | FailedRow, None]:
    """Make all rows and yield them in the order of the items, each as soon as it can be."""
    waiting: dict[int, R | FailedRow] = {}
    head = 0
    async with task.open() as worker:
        made = make_rows(task, worker, items, range(len(items)), concurrency=concurrency)
        async with aclosing(made) as rows:
            async for row, new in rows:
                waiting[row] = new
                while head in waiting:
                    yield waiting.pop(head)
                    head += 1


async def make_rows(
    task: Task[Item, R],
    worker: Worker[Item, R],
    items: Sequence[Item],
    rows: Iterable[int],
    *,
    concurrency: int,
) -> AsyncGenerator[tuple[int, R | FailedRow], None]:
    """Make these rows, `concurrency` at a time; a row that fails alone is a `FailedRow`."""

    async def make(row: int) -> tuple[int, R | FailedRow]:
        item = items[row]
        try:
            return row, await worker.make(row, item)
        except RequestFailed as error:
            key, problem = str(task.key(row, item)), task.problem(item)
            return row, FailedRow(id=key, row=row, problem=problem, failed=str(error))

    async with aclosing(as_finished(map(make, rows), concurrency)) as finished:
        async for pair in finished:
            yield pair
