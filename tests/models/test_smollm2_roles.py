"""SmolLM2-135M, a real third-party model, in every role, by the commands that people run.

It is behind llama.cpp's own server, so that it is loaded once. What such a small model writes is
worth nothing: what is tested is that it is asked rightly, and that the outcome is said as it is.
"""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from smollm2 import PROBLEM, STEPS, needed_file, served
from typer.testing import CliRunner

from genprm.cli.main import app

GGUF = needed_file()
KEY = "a-key"
POLICY = ("--policy-tokens", "24")


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with served(GGUF, KEY) as address:
        yield address


@pytest.fixture
def problems(tmp_path: Path) -> str:
    file = tmp_path / "problems.jsonl"
    file.write_text(json.dumps({"problem": PROBLEM, "answer": "3"}) + "\n")
    return str(file)


def run(words: Sequence[str], output: Path) -> list[dict[str, Any]]:
    """The rows that a command wrote."""
    done = CliRunner().invoke(app, [*words, "-o", str(output)], env={"OPENAI_API_KEY": KEY})
    assert done.exit_code == 0, done.output
    file = output / "rows.jsonl" if output.is_dir() else output
    return [json.loads(line) for line in file.read_text().splitlines()]


def test_a_policy_by_its_file(problems: str, tmp_path: Path) -> None:
    words = ["sample", problems, "-k", "2", "--policy", str(GGUF), *POLICY]
    words += ["--policy-engine-arg", "threads=1"]
    (row,) = run(words, tmp_path / "rows.jsonl")
    assert len(row["responses"]) == 2
    assert all(text.startswith("Step 1:") for text in row["responses"])


def test_refinement_of_a_stored_answer(url: str, tmp_path: Path) -> None:
    pool = tmp_path / "pool.jsonl"
    answers = ["\n\n".join(STEPS)]
    pool.write_text(json.dumps({"problem": PROBLEM, "answer": "3", "responses": answers}) + "\n")
    words = ["refine", "--samples", str(pool), "-t", "1", "--policy", url, *POLICY]
    (row,) = run([*words, "-m", url, "--mode", "direct"], tmp_path / "rows.jsonl")
    first, second = row["turns"]
    assert first["first_error"] == 1  # for once it is right
    assert first["steps"][1]["model"]["engine"] == "llama.cpp"
    assert "an error in step 2" in second["request"]
    assert second["text"].startswith("Step 1:")


def test_search(url: str, problems: str, tmp_path: Path) -> None:
    words = ["search", problems, "--beams", "1", "--branch", "1", "--max-steps", "1"]
    words += ["--policy", url, *POLICY, "-m", url, "--mode", "direct"]
    (row,) = run(words, tmp_path / "rows.jsonl")
    assert row["tree"][0]["step"]


def test_the_critic_baseline(url: str, tmp_path: Path) -> None:
    data = tmp_path / "labelled.jsonl"
    data.write_text(json.dumps({"id": "a", "problem": PROBLEM, "steps": STEPS, "label": 1}) + "\n")
    words = ["evaluate", "processbench", str(data), "--judge", "critic", "-m", url]
    (row,) = run([*words, "--max-tokens", "8"], tmp_path / "run")
    assert row["critiques"] == [row["critiques"][0]]
    assert row["guesses"] == [None]  # eight tokens name no paragraph
    assert row["usage"]["tokens_out"] == 8


def recipe(folder: Path, problems: str, policy: str, teacher: str, **solutions: Any) -> Path:
    """A recipe for one critique of each path."""
    asked = {"correct": 1, "incorrect": 1, "max_samples": 2, "batch_size": 2} | solutions
    table = "\n".join(f"{name} = {value}" for name, value in asked.items())
    file = folder / "recipe.toml"
    file.write_text(
        f'''
[curate]
name = "trial"
problems = "{problems}"
seed = 3
[curate.solutions]
model = "{policy}"
{table}
[curate.rollouts]
model = "{policy}"
bands = [{{ below = 1.0, completions = 2 }}]
[curate.rationales]
teacher = "{teacher}"
thinks = false
max_tokens = 32
temperature = 0.0
'''
    )
    return file


def curate(file: Path, out: Path) -> tuple[str, str]:
    """What a curation without an outcome says last, and its report."""
    words = ["curate", str(file), "--out", str(out)]
    done = CliRunner().invoke(app, words, env={"OPENAI_API_KEY": KEY})
    assert done.exit_code != 0
    assert not (out / "dataset").exists()
    return str(done.exception), (out / "report.html").read_text()


def test_a_curation_of_which_nothing_came_says_so(url: str, problems: str, tmp_path: Path) -> None:
    out = tmp_path / "out"
    said, report = curate(recipe(tmp_path, problems, url, url, max_tokens=24), out)
    assert "no problem has both a correct and an incorrect solution" in said
    assert "unfinished 2 of the samples; fix: raise curate.solutions.max_tokens" in said
    assert "unfinished" in report


def test_a_teacher_whose_critiques_cannot_be_read(url: str, tmp_path: Path) -> None:
    shipped = recipe(
        tmp_path,
        "arithmetic:1",
        "arithmetic/policy",
        url,
        max_samples=16,
        batch_size=8,
        max_tokens=256,
    )
    said, report = curate(shipped, tmp_path / "out")
    assert "no critique can be read: unfinished" in said
    assert "fix: raise curate.rationales.max_tokens, which is 32" in said
    assert "unfinished" in report
