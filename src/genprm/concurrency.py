"""Runs many coroutines at a time, with limits, results as they finish, and clean cancellation."""

import asyncio
from collections.abc import AsyncGenerator, Coroutine, Iterable
from typing import TypeVar

T = TypeVar("T")


async def as_finished(
    jobs: Iterable[Coroutine[object, None, T]], limit: int
) -> AsyncGenerator[T, None]:
    """Run jobs, at most `limit` at a time, and yield their results as they finish.

    Jobs are taken from the iterable only when there is room, so it may be endless. The first
    failure is raised after the results that had finished by then; running jobs are cancelled.
    """
    waiting = iter(jobs)
    running: set[asyncio.Task[T]] = set()
    done: list[asyncio.Task[T]] = []  # told by each task: a wait for all costs time for all
    some_done = asyncio.Event()

    def finish(task: asyncio.Task[T]) -> None:
        done.append(task)
        some_done.set()

    try:
        while True:
            while len(running) < limit and (job := next(waiting, None)) is not None:
                task = asyncio.create_task(job)
                task.add_done_callback(finish)
                running.add(task)
            if not running:
                return
            await some_done.wait()
            some_done.clear()
            batch, done[:] = sorted(done, key=lambda task: task.exception() is not None), []
            running.difference_update(batch)
            for task in batch:
                yield task.result()
    finally:
        await _cancel(running)


async def together(jobs: Iterable[Coroutine[object, None, T]]) -> list[T]:
    """Run all jobs at once; return results in order. The first failure cancels the other jobs."""
    tasks = [asyncio.create_task(job) for job in jobs]
    try:
        return await asyncio.gather(*tasks)
    finally:
        await _cancel(task for task in tasks if not task.done())


async def _cancel(tasks: Iterable["asyncio.Task[object]"]) -> None:
    tasks = list(tasks)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
