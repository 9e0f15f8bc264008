"""Rows made at the same time and written as they finish: what the commands over problems share."""

import json
from collections.abc import AsyncGenerator, Callable, Coroutine, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer
from rich.console import Console, RenderableType

from genprm.cli.progress import RowProgress
from genprm.concurrency import as_finished
from genprm.journal import Journal
from genprm.scale.cost import Cost

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Batch:
    """One run of a command: how many rows, what decides them, and where they go."""

    command: str
    rows: int
    configuration: Row
    concurrency: int
    output: Path | None
    as_json: bool
    show: Callable[[Row], RenderableType]  # one row, on a terminal
    summarise: Callable[[Sequence[Row]], RenderableType]  # all rows, after the last

    async def run(self, make: Callable[[int], Coroutine[Any, Any, Row]]) -> None:
        """Make what is missing. With an output file a killed run goes on where it was."""
        if self.output is None:
            finished = [row async for row in self._in_order(make)]
        else:
            finished = await self._to_file(make, self.output)
        if not self.as_json:
            Console(stderr=True, highlight=False).print(self.summarise(finished))

    async def _to_file(
        self, make: Callable[[int], Coroutine[Any, Any, Row]], output: Path
    ) -> list[Row]:
        with Journal(output, self.configuration, key="row") as journal:
            todo = [row for row in range(self.rows) if row not in journal]
            cost = Cost()
            with RowProgress(self.command, self.rows, done=len(journal)) as progress:
                jobs = as_finished(map(make, todo), self.concurrency)
                async with aclosing(jobs) as rows:
                    async for row in rows:
                        journal.append(row)
                        cost += Cost.of(row["cost"])
                        progress.advance(Cost.of(row["cost"]).tokens, spent(cost))
            journal.finish(range(self.rows))
            finished = list(journal.rows())
        if self.as_json:
            for row in finished:
                typer.echo(json.dumps(row, ensure_ascii=False))
        return finished

    async def _in_order(
        self, make: Callable[[int], Coroutine[Any, Any, Row]]
    ) -> AsyncGenerator[Row, None]:
        console = Console(highlight=False)
        waiting: dict[int, Row] = {}
        head = 0
        async with aclosing(as_finished(map(make, range(self.rows)), self.concurrency)) as rows:
            async for row in rows:
                waiting[row["row"]] = row
                while head in waiting:
                    if self.as_json:
                        typer.echo(json.dumps(waiting[head], ensure_ascii=False))
                    else:
                        console.print(self.show(waiting[head]))
                    yield waiting.pop(head)
                    head += 1


def spent(cost: Cost) -> str:
    """A cost in words."""
    parts = [f"{cost.policy.tokens_out:,} policy"] if cost.policy.tokens_out else []
    if cost.verifier.tokens_out:
        parts.append(f"{cost.verifier.tokens_out:,} verifier")
    runs = f", {cost.verifier.executions:,} executions" if cost.verifier.executions else ""
    return f"{' + '.join(parts) or '0'} tokens{runs}"


def accuracy(rows: Sequence[Row]) -> str:
    """How many choices are right, among the rows whose gold answer is known."""
    graded = [row for row in rows if "correct" in row]
    right = sum(row["choice"] is not None and row["correct"][row["choice"]] for row in graded)
    if not graded:
        return f"{len(rows)} problems"
    return f"{right} of {len(graded)} right ({100 * right / len(graded):.1f} %)"
