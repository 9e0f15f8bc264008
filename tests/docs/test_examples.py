"""Every example runs, and says what its page promises."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest
from chat_server import Server
from nbclient import NotebookClient

EXAMPLES = Path("examples")


def run(name: str, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, EXAMPLES / name, *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_one_solution_is_verified() -> None:
    assert "step 2: incorrect" in run("verify_one.py")


def test_a_custom_engine_finds_the_false_equation() -> None:
    assert run("custom_engine.py").endswith("first error: 1\n")


def test_a_custom_mode_lets_votes_without_executed_code_abstain() -> None:
    stock, own = run("custom_mode.py").splitlines()
    assert stock.endswith("first error -1"), "the example in Start is about this verdict"
    assert "abstains" in own
    assert own.endswith("first error None")


def test_rollouts_are_labelled_by_either_rule() -> None:
    ratio = run("label_rollouts.py", str(EXAMPLES / "rollouts.jsonl"))
    hard = run("label_rollouts.py", str(EXAMPLES / "rollouts.jsonl"), "--rule", "hard")
    assert ratio.count("incorrect") == 2
    assert hard.count("incorrect") == 1


def test_samples_of_a_chat_endpoint_are_ranked() -> None:
    answers = iter(
        ["2 + 3 * 4 = 20. The answer is 20.", "3 * 4 = 12.\n\n2 + 12 = 14. The answer is 14."]
    )

    def answer(path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        assert path == "/v1/chat/completions"
        return 200, {"choices": [{"message": {"content": next(answers)}}]}

    with Server(answer) as url:
        out = run("rank_endpoint.py", f"{url}/v1", "any", "2 + 3 * 4 =", "--count", "2")
    scores = [line.split()[0] for line in out.splitlines()]
    assert len(scores) == 2
    assert scores == sorted(scores, reverse=True)


def test_grpo_takes_a_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("trl")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")  # threads of a tiny model only wait for each other
    small = ["--judge-tokens", "128", "--problems", "2", "--held-out", "2", "--group", "2"]
    small += ["--steps", "1", "--prompts", "1"]
    out = run("grpo_arithmetic.py", *small, "--out", str(tmp_path))
    assert "step   1: reward" in out
    assert (tmp_path / "policy" / "config.json").exists()


def test_the_notebook_runs_offline() -> None:
    notebook = nbformat.read(EXAMPLES / "first_steps.ipynb", as_version=4)  # type: ignore[no-untyped-call]
    NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    printed = [cell.outputs for cell in notebook.cells if cell.cell_type == "code"]
    assert printed[0][-1].data["text/plain"] == "1"
