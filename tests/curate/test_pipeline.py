"""The stages together: what they hold, that they go on after kill -9, and what they refuse."""

import asyncio
import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from fake_curation import FakeEngines, curate, recipe

from genprm.curate.dead_ends import NothingUsable
from genprm.curate.folder import Folder
from genprm.curate.pipeline import Pipeline
from genprm.curate.stages import Stage
from genprm.errors import InputError, JournalError
from genprm.model import ModelIdentity
from genprm.records.critiques import CritiqueRow

TERMS = re.compile(r"\d+")


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
    engines = curate(unbroken)
    assert engines.model.asked == 0
    assert before == {stage: (unbroken / f"{stage}.jsonl").read_bytes() for stage in Stage}


def test_killed_at_random_moments_the_rows_are_those_of_an_unbroken_run(
    unbroken: Path, tmp_path: Path
) -> None:
    program = Path(__file__).parents[1] / "support" / "fake_curation.py"
    moments = random.Random(4)
    killed = 0
    seen: dict[Stage, set[bytes]] = {stage: set() for stage in Stage}
    while True:
        child = subprocess.Popen([sys.executable, program, tmp_path], env=os.environ)
        if killed < 6:
            wait_for_growth(child, tmp_path, moments.randint(5, 45))
            child.send_signal(signal.SIGKILL)
        status = child.wait(120)
        assert status in (0, -signal.SIGKILL)
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
    with pytest.raises(JournalError, match=r"settings\.correct was 2 and is 3"):
        curate(unbroken, recipe(solutions={"correct": 3}))


def test_concurrency_is_no_setting_of_the_rows(unbroken: Path) -> None:
    curate(unbroken, recipe(solutions={"concurrency": 3}, rollouts={"concurrency": 1}))


def test_other_weights_under_the_same_name_are_refused_in_the_middle_of_a_stage(
    tmp_path: Path,
) -> None:
    engines = FakeEngines(recipe())
    engines.model.identity = ModelIdentity("adder", "scripted", weights="sha256:one")
    pipeline = Pipeline(recipe(), Folder(tmp_path), engines)
    asyncio.run(pipeline.run(Stage.PROBLEMS))
    asyncio.run(pipeline.run(Stage.SOLUTIONS))
    (tmp_path / "solutions.done.json").unlink()
    engines.model.identity = ModelIdentity("adder", "scripted", weights="sha256:two")
    with pytest.raises(JournalError, match=r"policy\.model\.weights was .sha256:one. and"):
        asyncio.run(pipeline.run(Stage.SOLUTIONS))


def test_a_finished_stage_needs_no_model(unbroken: Path) -> None:
    engines = FakeEngines(recipe())

    def closed() -> None:
        raise AssertionError("no engine is to be opened")

    engines.policy = engines.completer = engines.teacher = closed  # type: ignore[assignment,method-assign]
    pipeline = Pipeline(recipe(), Folder(unbroken), engines)
    for stage in Stage:
        asyncio.run(pipeline.run(stage))


def test_a_failed_critique_is_stored_and_made_again_on_request(tmp_path: Path) -> None:
    engines = FakeEngines(recipe())
    engines.model.refused = "7 + 7"
    folder = Folder(tmp_path)

    def run(*, retry_failed: bool = False) -> None:
        pipeline = Pipeline(recipe(), folder, engines, retry_failed=retry_failed)
        for stage in Stage:
            asyncio.run(pipeline.run(stage))

    def failures() -> int:
        return sum(bool(row.failed) for row in folder.rows(Stage.RATIONALES, CritiqueRow))

    run()
    before, chats = failures(), len(rows(tmp_path, Stage.CHATS))
    assert before > 0
    engines.model.refused = None
    run()
    assert failures() == before
    run(retry_failed=True)
    assert failures() == 0
    assert len(rows(tmp_path, Stage.CHATS)) >= chats


@pytest.mark.parametrize(
    ("said", "message"),
    [
        (lambda total: " It is what it is.", "incorrect 144 of the samples; fix: easier"),
        (lambda total: f" The answer is {total}.", "correct 144 of the samples; fix: harder"),
        (lambda total: f" So\n\nStep 7: {total}", "unmarked 144 .*; fix: ask for `Step 1"),
    ],
)
def test_nothing_usable_stops_after_the_stage_that_is_the_cause(
    tmp_path: Path, said: Callable[[int], str], message: str
) -> None:
    engines = FakeEngines(recipe())
    engines.model.solve = lambda prompt, rng: said(sum(map(int, TERMS.findall(prompt))) - 1)  # type: ignore[method-assign]
    pipeline = Pipeline(recipe(), Folder(tmp_path), engines)
    asyncio.run(pipeline.run(Stage.PROBLEMS))
    for _ in range(2):
        with pytest.raises(NothingUsable, match=message):
            asyncio.run(pipeline.run(Stage.SOLUTIONS))


def test_unreadable_critiques_name_the_cause(tmp_path: Path) -> None:
    engines = FakeEngines(recipe())
    engines.model.teach = lambda prompt: "I see no error."  # type: ignore[method-assign]
    with pytest.raises(NothingUsable, match="no critique can be read: no_conclusion"):
        run_all(engines, tmp_path)


def test_a_teacher_that_never_thinks_is_named_early(tmp_path: Path) -> None:
    used = recipe(rationales={"thinks": True})
    with pytest.raises(InputError, match="thinks is true, but the first 8 critiques"):
        run_all(FakeEngines(used), tmp_path)


def run_all(engines: FakeEngines, folder: Path) -> None:
    pipeline = Pipeline(engines.recipe, Folder(folder), engines)
    for stage in Stage:
        asyncio.run(pipeline.run(stage))


def test_a_stage_waits_for_the_one_before_it(tmp_path: Path) -> None:
    pipeline = Pipeline(recipe(), Folder(tmp_path), FakeEngines(recipe()))
    asyncio.run(pipeline.run(Stage.PROBLEMS))
    with pytest.raises(InputError, match="the stage solutions has not finished"):
        asyncio.run(pipeline.run(Stage.ROLLOUTS))


def test_other_labels_take_everything_else_over(unbroken: Path, tmp_path: Path) -> None:
    hard = recipe(progress={"rule": "hard"})
    engines = FakeEngines(hard)
    pipeline = Pipeline(hard, Folder(tmp_path, Folder(unbroken)), engines)

    async def run() -> None:
        for stage in Stage:
            await pipeline.run(stage)

    asyncio.run(run())
    assert engines.model.asked == 0
    assert rows(tmp_path, Stage.ROLLOUTS) == rows(unbroken, Stage.ROLLOUTS)
    assert rows(tmp_path, Stage.RATIONALES) == rows(unbroken, Stage.RATIONALES)
    assert rows(tmp_path, Stage.PROGRESS) != rows(unbroken, Stage.PROGRESS)
    curate(tmp_path, hard)
