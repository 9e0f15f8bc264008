"""The stages together: what they hold, that they go on after kill -9, and what they refuse."""

import asyncio
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from make_believe import Crew, curate, recipe

from genprm.curate.folder import Folder
from genprm.curate.pipeline import Pipeline
from genprm.curate.stages import Stage
from genprm.errors import InputError, JournalError


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("unbroken")
    curate(folder)
    return folder


def rows(folder: Path, stage: Stage) -> list[dict[str, object]]:
    return [json.loads(line) for line in (folder / f"{stage}.jsonl").open()]


def test_every_stage_leaves_rows(unbroken: Path) -> None:
    counts = {stage: len(rows(unbroken, stage)) for stage in Stage}
    assert all(counts.values())
    assert counts[Stage.RATIONALES] == 2 * counts[Stage.PROGRESS]
    assert counts[Stage.CONSENSUS] == counts[Stage.PROGRESS]


def test_a_second_run_asks_nothing_and_changes_nothing(unbroken: Path) -> None:
    before = {stage: (unbroken / f"{stage}.jsonl").read_bytes() for stage in Stage}
    crew = curate(unbroken)
    assert crew.model.asked == 0
    assert before == {stage: (unbroken / f"{stage}.jsonl").read_bytes() for stage in Stage}


def test_killed_at_random_moments_the_rows_are_those_of_an_unbroken_run(
    unbroken: Path, tmp_path: Path
) -> None:
    program = Path(__file__).with_name("make_believe.py")
    moments = random.Random(4)
    killed = 0
    seen: dict[Stage, set[bytes]] = {stage: set() for stage in Stage}
    while True:
        child = subprocess.Popen([sys.executable, program, tmp_path], env=os.environ)
        if killed < 6:
            wait_for_growth(child, tmp_path, moments.randint(5, 45))
            child.send_signal(signal.SIGKILL)
        status = child.wait(120)
        check_nothing_finished_was_lost(tmp_path, seen)
        if status == 0:
            break
        killed += 1
    assert killed >= 3
    for stage in Stage:
        name = f"{stage}.jsonl"
        assert (tmp_path / name).read_bytes() == (unbroken / name).read_bytes(), stage


def wait_for_growth(child: "subprocess.Popen[bytes]", folder: Path, lines: int) -> None:
    """Until the child has written some more rows, or has ended."""
    start = written(folder)
    while child.poll() is None and written(folder) < start + lines:
        time.sleep(0.001)


def written(folder: Path) -> int:
    return sum(file.read_bytes().count(b"\n") for file in folder.glob("*.jsonl"))


def check_nothing_finished_was_lost(folder: Path, seen: dict[Stage, set[bytes]]) -> None:
    for stage in Stage:
        file = folder / f"{stage}.jsonl"
        lines = file.read_bytes().splitlines(keepends=True) if file.exists() else []
        whole = {line for line in lines if line.endswith(b"\n")}
        assert seen[stage] <= whole
        seen[stage] = whole


def test_a_changed_setting_is_refused(unbroken: Path) -> None:
    with pytest.raises(JournalError, match=r"settings\.right was 2 and is 3"):
        curate(unbroken, recipe(solutions={"right": 3}))


def test_concurrency_is_no_setting_of_the_rows(unbroken: Path) -> None:
    curate(unbroken, recipe(solutions={"concurrency": 3}, rollouts={"concurrency": 1}))


def test_another_model_is_refused_in_the_middle_of_a_stage(tmp_path: Path) -> None:
    folder, crew = Folder(tmp_path), Crew(recipe())
    pipeline = Pipeline(recipe(), folder, crew)
    asyncio.run(pipeline.run(Stage.PROBLEMS))
    folder.claim_model(Stage.SOLUTIONS, "somebody else")
    with pytest.raises(JournalError, match="'somebody else', this is 'adder'"):
        asyncio.run(pipeline.run(Stage.SOLUTIONS))


def test_a_stage_waits_for_the_one_before_it(tmp_path: Path) -> None:
    pipeline = Pipeline(recipe(), Folder(tmp_path), Crew(recipe()))
    asyncio.run(pipeline.run(Stage.PROBLEMS))
    with pytest.raises(InputError, match="the stage solutions has not finished"):
        asyncio.run(pipeline.run(Stage.ROLLOUTS))


def test_other_labels_take_everything_else_over(unbroken: Path, tmp_path: Path) -> None:
    hard = recipe(progress={"rule": "hard"})
    crew = Crew(hard)
    pipeline = Pipeline(hard, Folder(tmp_path, Folder(unbroken)), crew)

    async def run() -> None:
        for stage in Stage:
            await pipeline.run(stage)

    asyncio.run(run())
    assert crew.model.asked == 0
    assert rows(tmp_path, Stage.ROLLOUTS) == rows(unbroken, Stage.ROLLOUTS)
    assert rows(tmp_path, Stage.RATIONALES) == rows(unbroken, Stage.RATIONALES)
    assert rows(tmp_path, Stage.PROGRESS) != rows(unbroken, Stage.PROGRESS)
    curate(tmp_path, hard)
