"""Corrections go all the way round: exported chats train a model, labelled rows are evaluated."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from runs import solution, write_run
from typer.testing import CliRunner

pytest.importorskip("starlette")
from genprm.cli.main import app
from genprm.records.chats import ChatRow
from genprm.viewer.library import Library
from genprm.viewer.runs import find_runs

VERIFIER = Path(__file__).parents[2] / "src/genprm/arithmetic/weights/verifier"


def corrected(folder: Path) -> Path:
    """Corrections of a run, exported by the command."""
    run = write_run(folder / "run.jsonl", [solution(n, [[0.9], [0.9, 0.2]]) for n in range(2)])
    library = Library(find_runs([run]))
    library.build()
    library.correct(0, {"index": 0, "step": 1, "label": False, "reason": "3 is not 2."})
    library.correct(0, {"index": 1, "step": 0, "label": False, "reason": "It adds twice."})
    genprm("view", run, "--export-corrections", folder / "out")
    return folder / "out"


def genprm(*words: object) -> str:
    done = CliRunner().invoke(app, [str(word) for word in words])
    assert done.exit_code == 0, (done.output, done.exception)
    return done.output


def test_exported_chats_are_the_rows_that_curations_write(tmp_path: Path) -> None:
    lines = (corrected(tmp_path) / "chats.jsonl").read_bytes().splitlines()
    chats = [ChatRow.parse(line) for line in lines]
    assert [chat.labels for chat in chats] == [(True, False), (False,)]
    for chat in chats:
        for index in range(len(chat.messages)):
            stretches = list(chat.stretches(index))
            assert "".join(text for _, text in stretches) == chat.messages[index].content


def test_genprm_train_takes_the_chats(tmp_path: Path) -> None:
    pytest.importorskip("trl")
    pytest.importorskip("gguf")
    exported = corrected(tmp_path)
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(
        f"""
        [train]
        base = "{VERIFIER}"
        chats = "{exported / "chats.jsonl"}"
        output = "{tmp_path / "trained"}"
        batch = 2
        max_length = 900
        packing = false
        gradient_checkpointing = false
        """
    )
    said = genprm("train", recipe)
    assert "2 chats" in said
    assert (tmp_path / "trained/model").is_dir()


def test_genprm_evaluate_takes_the_labelled_rows(tmp_path: Path) -> None:
    exported = corrected(tmp_path)
    command = [sys.executable, "-m", "genprm", "evaluate", "processbench", "-m", "arithmetic"]
    command += [str(exported / "labelled.jsonl"), "--mode", "direct"]
    # A process of its own: the browser tests keep an event loop in this thread.
    subprocess.run([*command, "-o", str(tmp_path / "evaluated")], check=True, timeout=120)
    rows = (tmp_path / "evaluated/rows.jsonl").read_text("utf-8").splitlines()
    assert [json.loads(row)["label"] for row in rows] == [1, 0]
