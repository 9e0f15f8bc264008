"""Rows made at the same time: killed and resumed, refused under other settings, kept in order."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import pytest

from genprm.errors import JournalError, RequestFailed
from genprm.records.failures import FailedRow
from genprm.records.record import JsonObject, Row
from genprm.records.run_spec import JudgeSpec, PolicySpec, digest
from genprm.tasks.run import rows_in_order, run_to_file
from genprm.tasks.task import Task


class Square(Row):
    KEY: ClassVar[str] = "row"

    row: int
    square: int


@dataclass
class Squaring(Task[int, Square]):
    """Squares numbers; dies at one, and cannot square another."""

    command: ClassVar[str] = "square"
    row_type = Square

    seed: int = 0
    dies_at: int | None = None
    refuses: int | None = None
    made: list[int] = field(default_factory=list)

    judge: ClassVar[JudgeSpec | None] = None
    policy: ClassVar[PolicySpec | None] = None

    @property
    def settings(self) -> JsonObject:
        return {"seed": self.seed}

    def key(self, row: int, item: int) -> int:
        return row

    def problem(self, item: int) -> str:
        return str(item)

    def input(self, items: Sequence[int]) -> str:
        return digest(items)

    @asynccontextmanager
    async def open(self) -> AsyncGenerator["Squaring", None]:
        yield self

    async def make(self, row: int, item: int) -> Square:
        for _ in range(50 if row == 0 else 1):  # row 0 is overtaken
            await asyncio.sleep(0)
        if row == self.dies_at:
            raise KeyboardInterrupt
        if row == self.refuses:
            raise RequestFailed("HTTP 400: no")
        self.made.append(row)
        return Square(row=row, square=item**2)


ITEMS = [3, 1, 4, 1, 5, 9]


def to_file(task: Squaring, path: Path, *, retry_failed: bool = False) -> tuple[list[Square], int]:
    made = run_to_file(task, ITEMS, path, list, concurrency=2, retry_failed=retry_failed)
    return asyncio.run(made)


def test_a_run_that_was_cut_off_resumes_and_equals_an_unbroken_one(tmp_path: Path) -> None:
    broken, whole = tmp_path / "broken.jsonl", tmp_path / "whole.jsonl"
    with pytest.raises(KeyboardInterrupt):
        to_file(Squaring(dies_at=4), broken)
    kept = broken.read_bytes()
    assert 0 < kept.count(b"\n") < 6
    resumed = Squaring()
    to_file(resumed, broken)
    assert len(resumed.made) == 6 - kept.count(b"\n")
    to_file(Squaring(), whole)
    assert broken.read_bytes() == whole.read_bytes()
    assert all(line in broken.read_bytes() for line in kept.splitlines())


def test_other_settings_and_other_items_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    to_file(Squaring(), path)
    with pytest.raises(JournalError, match=r"settings\.seed was 0 and is 1"):
        to_file(Squaring(seed=1), path)
    with pytest.raises(JournalError, match="input was"):
        asyncio.run(run_to_file(Squaring(), ITEMS[:2], path, list, concurrency=1))


def test_one_row_that_fails_leaves_the_others_alone(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    rows, failed = to_file(Squaring(refuses=2), path)
    assert [row.row for row in rows] == [0, 1, 3, 4, 5]
    assert failed == 1
    passed = Squaring()
    assert to_file(passed, path)[1] == 1
    assert passed.made == []
    retried = Squaring()
    rows, failed = to_file(retried, path, retry_failed=True)
    assert retried.made == [2]
    assert ([row.square for row in rows], failed) == ([9, 1, 16, 1, 25, 81], 0)


def test_without_a_file_rows_come_in_their_order() -> None:
    async def collect() -> list[Square | FailedRow]:
        made = rows_in_order(Squaring(refuses=3), ITEMS, concurrency=3)
        return [row async for row in made]

    rows = asyncio.run(collect())
    assert [row.row for row in rows] == list(range(6))
    assert [row.row for row in rows if isinstance(row, FailedRow)] == [3]
