"""`genprm curate` as a user runs it: real processes and sandbox, a recorded model."""

import subprocess
import sys
from pathlib import Path

import pytest
from recorded_curation import record

from genprm.cli.main import main
from genprm.curate.stages import Stage

RECIPES = sorted((Path(__file__).parents[2] / "recipes").glob("*.toml"))


def genprm(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "genprm", *words], capture_output=True, text=True, check=False
    )


def here(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    """The command in this process: its exit status."""
    monkeypatch.setattr(sys, "argv", ["genprm", *words])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return record(tmp_path_factory.mktemp("sums"))


def test_the_command_makes_the_same_rows_a_data_set_and_a_report(recorded: Path) -> None:
    out = recorded / "out"
    done = genprm("curate", str(recorded / "recipe.toml"), "--out", str(out))
    assert done.returncode == 0, done.stderr
    for stage in Stage:
        name = f"{stage}.jsonl"
        assert (out / name).read_bytes() == (recorded / "expected" / name).read_bytes(), stage
    assert (out / "dataset" / "genprm" / "train.parquet").exists()
    assert "<h1>sums</h1>" in (out / "report.html").read_text()
    assert "solutions kept by consensus" in done.stderr


def test_a_pilot_plans_and_the_report_compares(recorded: Path) -> None:
    out = recorded / "planned"
    recipe = str(recorded / "recipe.toml")
    planned = genprm("curate", recipe, "--out", str(out), "--plan", "--pilot", "3")
    assert planned.returncode == 0, planned.stderr
    assert "a pilot of 3 problems, 6 problems" in planned.stdout
    done = genprm("curate", recipe, "--out", str(out))
    assert done.returncode == 0, done.stderr
    assert "planned from a pilot of 3 problems" in (out / "report.html").read_text()


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda file: file.stem)
def test_shipped_recipes_are_planned_offline(
    recipe: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert here(monkeypatch, "curate", str(recipe), "--out", str(tmp_path), "--plan") == 0
    assert "rationales" in capsys.readouterr().out
    assert (tmp_path / "plan.json").exists()


def test_a_stage_out_of_turn_is_one_line(
    recorded: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    recipe = str(recorded / "recipe.toml")
    words = ["curate", recipe, "--out", str(tmp_path), "--stage", "rollouts"]
    assert here(monkeypatch, *words) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert "the stage solutions has not finished; fix: run it first" in line


@pytest.mark.parametrize("command", ["curate", "train"])
def test_a_misspelt_recipe_is_one_line(
    command: str,
    recorded: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    recipe = tmp_path / "r.toml"
    recipe.write_text((recorded / "recipe.toml").read_text().replace("batch_size =", "batchsize ="))
    out = ["--out", str(tmp_path / "o")] if command == "curate" else []
    assert here(monkeypatch, command, str(recipe), *out) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert "field curate.solutions.batchsize: unknown; fix: did you mean batch_size?" in line
