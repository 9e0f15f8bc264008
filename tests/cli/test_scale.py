"""sample, rank, refine and search as a user runs them: the shipped models, killed and resumed."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

import genprm

GENPRM = [sys.executable, "-m", "genprm"]
WEIGHTS = Path(genprm.__file__).parent / "arithmetic" / "weights"
needs_policy = pytest.mark.skipif(
    not (WEIGHTS / "policy").is_dir(), reason="the policy's weights are not installed"
)
PROBLEMS = [
    {"id": "a", "problem": "((2 + 3) * (4 - 1)) =", "answer": "15"},
    {"id": "b", "problem": "((-9 - 5) * (4 + -3 - 2)) =", "answer": "14"},
    {"id": "c", "problem": "((7 + 3) * (8 - 1)) =", "answer": "70"},
    {"id": "d", "problem": "((1 + 6) * (9 - 4)) =", "answer": "35"},
]


def solution(a: str, x: int, b: str, y: int, answer: int) -> str:
    """A solution in the words of the built-in domain, right if the numbers are."""
    return (
        f'Step 1: This equation can be written as "A * B", where A = ({a}) and B = ({b}).\n\n'
        f"Step 2: Let's calculate A = ({a}) = {x}.\n\n"
        f"Step 3: Let's calculate B = ({b}) = {y}.\n\n"
        f"Step 4: Then, the final equation is A * B = {x} * {y} = {x * y}. "
        f"So the answer is {answer}"
    )


POOLS = [
    {
        **PROBLEMS[0],
        "responses": [
            solution("2 + 3", 6, "4 - 1", 3, 18),
            solution("2 + 3", 5, "4 - 1", 3, 15),
            solution("2 + 3", 6, "4 - 1", 3, 18),
        ],
    },
    {
        **PROBLEMS[3],
        "responses": [
            solution("1 + 6", 7, "9 - 4", 6, 42),
            solution("1 + 6", 7, "9 - 4", 6, 42),
            solution("1 + 6", 7, "9 - 4", 5, 35),
        ],
    },
]


def write(path: Path, rows: list[dict[str, Any]]) -> str:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(path)


def read(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*GENPRM, *words], capture_output=True, text=True, check=False)


def test_rank_chooses_against_the_majority(tmp_path: Path) -> None:
    pools = write(tmp_path / "pools.jsonl", POOLS)
    done = run("rank", "--samples", pools, "-k", "3", "--json", "--temperature", "0")
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row["choice_answer"] for row in rows] == ["15", "35"]
    assert [row["correct"][row["choices"]["majority"]] for row in rows] == [False, False]
    assert rows[0]["paths"][2] == rows[0]["paths"][0]
    early = run(
        "rank", "--samples", pools, "-k", "3", "--json", "--temperature", "0", "--early-abandon"
    )
    abandoned = [json.loads(line) for line in early.stdout.splitlines()]
    assert [row["choice"] for row in abandoned] == [row["choice"] for row in rows]


@needs_policy
@pytest.mark.parametrize(
    "command",
    [
        ["sample", "-k", "4"],
        ["rank", "-k", "4"],
        ["refine", "--turns", "1"],
        ["search", "--beams", "2", "--branch", "2"],
    ],
)
def test_a_killed_command_goes_on(tmp_path: Path, command: list[str]) -> None:
    problems = write(tmp_path / "problems.jsonl", PROBLEMS)
    out = tmp_path / "out.jsonl"
    words = [command[0], problems, *command[1:], "-o", str(out), "--concurrency", "1"]
    process = subprocess.Popen([*GENPRM, *words], stderr=subprocess.DEVNULL)
    end = time.monotonic() + 60
    while not (out.exists() and out.read_bytes().count(b"\n")) and process.poll() is None:
        assert time.monotonic() < end, "no row within a minute"
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    kept = [line for line in out.read_bytes().splitlines(keepends=True) if line.endswith(b"\n")]
    done = run(*words)
    assert done.returncode == 0, done.stderr
    rows = read(out)
    assert [row["row"] for row in rows] == [0, 1, 2, 3]
    assert out.read_bytes().startswith(b"".join(kept))
    assert all(row["cost"]["policy"]["tokens_out"] > 0 for row in rows)
    refused = run(*words, "--seed", "5")
    assert refused.returncode == 2
    assert "seed" in refused.stderr


@needs_policy
def test_search_draws_its_tree(tmp_path: Path) -> None:
    problems = write(tmp_path / "problems.jsonl", PROBLEMS[:1])
    done = run("search", problems, "--beams", "2", "--branch", "2")
    assert done.returncode == 0, done.stderr
    assert "★" in done.stdout
    assert "├──" in done.stdout or "└──" in done.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["rank"], "fix: name a file of problems"),
        (["rank", "x.jsonl", "--samples", "y.jsonl"], "fix: name a file of problems"),
        (["rank", "missing.jsonl"], "missing.jsonl: No such file or directory"),
        (["refine", "--policy", "nowhere", "-"], "fix: problems"),
        (["rank", "--early-abandon", "--method", "majority", "-"], "needs every score"),
    ],
)
def test_what_a_user_can_fix_is_one_line(words: list[str], said: str) -> None:
    done = subprocess.run([*GENPRM, *words], input="", capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert len(done.stderr.strip().splitlines()) == 1
    if said != "fix: problems":
        assert said in done.stderr
