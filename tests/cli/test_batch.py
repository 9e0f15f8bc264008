"""Rows made at the same time: killed and resumed, refused under other settings, kept in order."""

import asyncio
import json
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from genprm.cli.batch import Batch, accuracy
from genprm.errors import JournalError
from genprm.scale.cost import Cost
from genprm.verdict import Usage

Row = dict[str, Any]
Make = Callable[[int], Coroutine[Any, Any, Row]]


def batch(output: Path | None, seed: int = 0) -> Batch:
    return Batch(
        command="rank",
        rows=6,
        configuration={"seed": seed},
        concurrency=2,
        output=output,
        as_json=True,
        show=lambda row: str(row["row"]),
        summarise=lambda rows: str(len(rows)),
    )


def maker(made: list[int], *, dies_at: int | None = None) -> Make:
    async def make(row: int) -> Row:
        await asyncio.sleep(0.02 if row == 0 else 0)  # row 0 is overtaken
        if row == dies_at:
            raise KeyboardInterrupt
        made.append(row)
        return {"row": row, "cost": Cost(policy=Usage(tokens_out=row)).row()}

    return make


def test_a_run_that_was_cut_off_goes_on_and_equals_an_unbroken_one(tmp_path: Path) -> None:
    broken, whole = tmp_path / "broken.jsonl", tmp_path / "whole.jsonl"
    made: list[int] = []
    with pytest.raises(KeyboardInterrupt):
        asyncio.run(batch(broken).run(maker(made, dies_at=4)))
    kept = broken.read_bytes()
    assert 0 < kept.count(b"\n") < 6
    asyncio.run(batch(broken).run(maker(made)))
    asyncio.run(batch(whole).run(maker([])))
    assert broken.read_bytes() == whole.read_bytes()
    assert all(line in broken.read_bytes() for line in kept.splitlines())


def test_other_settings_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    asyncio.run(batch(path).run(maker([])))
    with pytest.raises(JournalError, match="seed is 0 there and 1 now"):
        asyncio.run(batch(path, seed=1).run(maker([])))


def test_without_a_file_rows_are_printed_in_their_order(capsys: pytest.CaptureFixture[str]) -> None:
    asyncio.run(batch(None).run(maker([])))
    printed = [json.loads(line)["row"] for line in capsys.readouterr().out.splitlines()]
    assert printed == list(range(6))


def test_accuracy_counts_only_what_can_be_graded() -> None:
    rows = [{"choice": 0, "correct": [True]}, {"choice": None, "correct": [False]}, {"choice": 0}]
    assert accuracy(rows) == "1 of 2 right (50.0 %)"
    assert accuracy([{"choice": 0}]) == "1 problems"
