"""The progress line of long work on standard error: rows done, rates, and remaining time."""

from collections.abc import Callable
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Column


class RowProgress:
    """Counts the rows of a run. Nothing is shown before the work starts.

    `status` says what else there is to show, such as how many actors are alive.
    """

    def __init__(self, title: str, total: int, status: Callable[[], str] = lambda: "") -> None:
        self._bar = Progress(
            SpinnerColumn(),
            TextColumn(title),
            BarColumn(20),
            MofNCompleteColumn(table_column=Column(no_wrap=True)),
            TimeRemainingColumn(table_column=Column(no_wrap=True)),
            TextColumn(
                "{task.fields[rate]}", table_column=Column()
            ),  # wraps where there is no room
            console=Console(stderr=True, highlight=False),
        )
        self._task = self._bar.add_task("", total=total, rate="")
        self._rows = self._tokens = 0
        self._status = status

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Leave the line as it is; later output appears below it."""
        if self._bar.live.is_started:
            self._bar.stop()

    def resume(self, done: int) -> None:
        """Show the line; `done` rows were finished by an earlier run."""
        self._bar.update(self._task, completed=done)
        self._bar.start()

    def advance(self, tokens: int, spent: str = "") -> None:
        """Count one more finished row, which took this many generated tokens."""
        self._rows += 1
        self._tokens += tokens
        elapsed = self._bar.tasks[0].elapsed or 1e-9
        speed = f"{self._rows / elapsed:.2f}/s  {self._tokens / elapsed:,.0f} tokens/s"
        rate = "  ".join(filter(None, (speed, self._status(), spent)))
        self._bar.update(self._task, advance=1, rate=rate)
