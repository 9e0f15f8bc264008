"""A started run refuses every other configuration, and names the field that differs."""

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

import genprm.arithmetic
from genprm.cli.main import app
from genprm.errors import JournalError

WEIGHTS = Path(genprm.arithmetic.__path__[0]) / "weights"
runner = CliRunner()


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a model of its own, inputs, and one small run of every command."""
    folder = tmp_path_factory.mktemp("started")
    shutil.copytree(WEIGHTS / "verifier", folder / "model")
    template = (folder / "model" / "chat_template.jinja").read_text()
    (folder / "other.jinja").write_text(template + "{# another #}")
    cascade = {"mode": "direct", "votes": 1, "low": 0.4, "high": 0.6}
    (folder / "cascade.json").write_text(json.dumps(cascade))
    solution = {"id": "a", "problem": "2 + 3 =", "steps": ["2 + 3 = 5."], "label": -1}
    (folder / "solutions.jsonl").write_text(json.dumps(solution) + "\n")
    (folder / "problems.jsonl").write_text(json.dumps({"problem": "2 + 3 =", "answer": "5"}) + "\n")
    for command in COMMANDS:
        run(folder, command)
    return folder


JUDGE = ["-m", "{}/model", "--mode", "direct"]
SHORT = ["--policy-tokens", "8"]
COMMANDS = {
    "verify": ["verify", "{}/solutions.jsonl", "-o", "{}/verify.jsonl", *JUDGE],
    "evaluate": ["evaluate", "processbench", "{}/solutions.jsonl", "-o", "{}/evaluate", *JUDGE],
    "sample": ["sample", "{}/problems.jsonl", "-o", "{}/sample.jsonl", "-k", "1", *SHORT],
    "rank": ["rank", "{}/problems.jsonl", "-o", "{}/rank.jsonl", "-k", "1", *SHORT, *JUDGE],
    "refine": ["refine", "{}/problems.jsonl", "-o", "{}/refine.jsonl", "-t", "0", *SHORT, *JUDGE],
    "search": [
        *("search", "{}/problems.jsonl", "-o", "{}/search.jsonl", "--beams", "1", "--branch", "1"),
        *("--max-steps", "1", *SHORT, *JUDGE),
    ],
}


def run(folder: Path, command: str, *more: str) -> None:
    words = [word.replace("{}", str(folder)) for word in (*COMMANDS[command], *more)]
    done = runner.invoke(app, words)
    if done.exception is not None:
        raise done.exception


@pytest.mark.parametrize("command", COMMANDS)
def test_the_same_command_is_resumed(started: Path, command: str) -> None:
    run(started, command)


@pytest.mark.parametrize("command", COMMANDS)
def test_another_seed_is_refused(started: Path, command: str) -> None:
    with pytest.raises(JournalError, match=r"seed was 0 and is 1"):
        run(started, command, "--seed", "1")


MODE = ["--mode", "cot"], r'judge\.settings\.mode was "direct" and is "cot"'
TEMPLATE = ["--chat-template", "{}/other.jinja"], r"judge\.model\.template was"
CASCADE = ["--cascade", "{}/cascade.json"], r'judge\.judge was "genprm" and is "cascade"'


@pytest.mark.parametrize(
    ("command", "change"),
    [
        ("verify", MODE),
        ("verify", TEMPLATE),
        ("verify", CASCADE),
        ("evaluate", MODE),
        ("evaluate", TEMPLATE),
        ("evaluate", CASCADE),
        ("rank", CASCADE),
        ("refine", TEMPLATE),
        ("search", MODE),
    ],
)
def test_another_judge_is_refused(
    started: Path, command: str, change: tuple[list[str], str]
) -> None:
    more, field = change
    with pytest.raises(JournalError, match=field):
        run(started, command, *more)


def test_other_weights_under_the_same_name_are_refused(started: Path) -> None:
    aside = started / "aside"
    (started / "model").rename(aside)
    shutil.copytree(WEIGHTS / "policy", started / "model")
    try:
        for command in ("verify", "evaluate"):
            with pytest.raises(JournalError, match=r"judge\.model\.weights was"):
                run(started, command)
    finally:
        shutil.rmtree(started / "model")
        aside.rename(started / "model")
