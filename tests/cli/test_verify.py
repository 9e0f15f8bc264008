"""`genprm verify` as a user runs it: real processes, the shipped model, the real sandbox."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from terminal import hear_ctrl_c

GENPRM = [sys.executable, "-m", "genprm"]
RIGHT = {
    "id": "right",
    "problem": "((2 + 3) * (4 - 1)) =",
    "steps": [
        'This equation can be written as "A * B", where A = (2 + 3) and B = (4 - 1).',
        "Let's calculate A = (2 + 3) = 5.",
        "Let's calculate B = (4 - 1) = 3.",
        "Then, the final equation is A * B = 5 * 3 = 15. So the answer is 15",
    ],
}
WRONG = {
    "id": "wrong",
    "problem": "((-9 - 5) * (4 + -3 - 2)) =",
    "steps": [
        'This equation can be written as "A * B", where A = (-9 - 5) and B = (4 + -3 - 2).',
        "Let's calculate A = (-9 - 5) = -14.",
        "Let's calculate B = (4 + -3 - 2) = (4 - 3 - 2) = 1.",
        "Then, the final equation is A * B = -14 * 1 = -14. So the answer is -14",
    ],
    "generator": "by hand",
}


def genprm(*words: str, stdin: str = "", **options: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*GENPRM, *words], input=stdin, capture_output=True, text=True, check=False, **options
    )


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in (RIGHT, WRONG)))
    return path


def read(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_person_sees_which_step_is_wrong_and_why(rows: Path) -> None:
    done = genprm("verify", str(rows))
    assert done.returncode == 0, done.stderr
    assert "No wrong step in 4." in done.stdout
    assert "First wrong step: 3 of 4 (index 2)." in done.stdout
    wrong = done.stdout[done.stdout.index("wrong ──") :]
    assert "✗ wrong" in wrong
    assert "→ [" in wrong  # what the code printed


def test_rows_of_json_hold_every_vote(rows: Path) -> None:
    done = genprm(
        "verify", "-", "--json", "--model", "arithmetic", "--votes", "2", stdin=rows.read_text()
    )
    right, wrong = (json.loads(line) for line in done.stdout.splitlines())
    assert (right["id"], right["first_error"]) == ("right", -1)
    assert (wrong["id"], wrong["first_error"]) == ("wrong", 2)
    assert wrong["generator"] == "by hand"
    assert wrong["problem"] == WRONG["problem"]
    step = wrong["steps"][2]
    assert step["text"] == WRONG["steps"][2]
    assert (step["label"], step["asked"], step["wanted"]) == (False, 2, 2)
    assert 0 <= step["reward"] < 0.5
    for vote in step["votes"]:
        assert vote["analysis"]
        assert [run["status"] for run in vote["runs"]] == ["ok"]
        assert "False" in vote["runs"][0]["output"]
    assert wrong["usage"]["executions"] == 8
    assert min(wrong["usage"][name] for name in ("tokens_in", "tokens_out", "seconds")) > 0


@pytest.mark.parametrize(
    ("mode", "codes", "executions"),
    [("cot", 0, 0), ("direct", 0, 0), ("no-exec", 1, 0), ("code", 1, 4), ("genprm", 1, 4)],
)
def test_modes(rows: Path, mode: str, codes: int, executions: int) -> None:
    done = genprm("verify", str(rows), "--json", "--mode", mode, "-m", "arithmetic")
    row = json.loads(done.stdout.splitlines()[0])
    assert len(row["steps"]) == 4
    assert {len(step["votes"][0]["runs"]) for step in row["steps"]} == {codes}
    assert row["usage"]["executions"] == executions
    assert bool(row["steps"][0]["votes"][0]["analysis"]) == (mode in ("cot", "no-exec", "genprm"))


def test_stopping_at_the_first_error(rows: Path) -> None:
    done = genprm("verify", str(rows), "--json", "--stop-at-first-error")
    wrong = json.loads(done.stdout.splitlines()[1])
    assert wrong["first_error"] == 2
    assert len(wrong["steps"]) == 3
    assert wrong["unjudged_steps"] == [WRONG["steps"][3]]


def test_plain_text(tmp_path: Path) -> None:
    path = tmp_path / "solution.txt"
    path.write_text("\n\n".join([RIGHT["problem"], *RIGHT["steps"]]))  # type: ignore[list-item]
    assert json.loads(genprm("verify", str(path), "--json").stdout)["first_error"] == -1


def test_a_batch_resumes_and_refuses_other_settings(rows: Path, tmp_path: Path) -> None:
    output = tmp_path / "out.jsonl"
    command = ("verify", str(rows), "--output", str(output), "--mode", "direct")
    assert genprm(*command).returncode == 0
    whole = output.read_bytes()
    first, second = whole.splitlines(keepends=True)
    output.write_bytes(first + second[:40])
    assert genprm(*command).returncode == 0
    assert output.read_bytes().startswith(first)
    assert [row["id"] for row in read(output)] == ["right", "wrong"]
    refused = genprm(*command, "--votes", "3")
    assert refused.returncode == 2
    assert refused.stderr.count("\n") == 1
    assert "judge.settings.votes was 1 and is 3" in refused.stderr


def test_kill_dash_nine_in_the_middle_of_a_batch(tmp_path: Path) -> None:
    """Rows that were finished keep their bytes; the rest is made; every row is there once."""
    rows, output = tmp_path / "rows.jsonl", tmp_path / "out.jsonl"
    rows.write_text("".join(json.dumps({**WRONG, "id": k}) + "\n" for k in range(24)))
    command = [*GENPRM, "verify", str(rows), "-o", str(output), "--concurrency", "2"]
    running = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    while not output.exists() or output.read_bytes().count(b"\n") < 3:
        assert running.poll() is None
    running.kill()
    running.wait()
    kept = {line for line in output.read_bytes().splitlines(keepends=True) if line[-1:] == b"\n"}
    assert 3 <= len(kept) < 24
    assert subprocess.run(command, stderr=subprocess.DEVNULL, check=False).returncode == 0
    lines = output.read_bytes().splitlines(keepends=True)
    assert kept <= set(lines)
    assert [json.loads(line)["id"] for line in lines] == [str(k) for k in range(24)]


def test_ctrl_c_ends_with_130_and_one_line(tmp_path: Path) -> None:
    rows, output = tmp_path / "rows.jsonl", tmp_path / "out.jsonl"
    rows.write_text("".join(json.dumps({**WRONG, "id": k}) + "\n" for k in range(500)))
    command = [*GENPRM, "verify", str(rows), "-o", str(output), "--concurrency", "2"]
    running = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, preexec_fn=hear_ctrl_c)
    while not output.exists() or output.read_bytes().count(b"\n") < 1:
        assert running.poll() is None
    running.send_signal(signal.SIGINT)
    _, said = running.communicate()
    assert running.returncode == 130
    assert said.splitlines()[-1] == "genprm: interrupted; finished rows are kept"
    assert "Traceback" not in said
    assert read(output)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["nowhere.jsonl"], "nowhere.jsonl: No such file"),
        (["-", "--model", "gpt-17"], "unknown model 'gpt-17'"),
        (["-", "--model", "http://127.0.0.1:9/v1"], "http://127.0.0.1:9/v1"),
        (["-", "--votes", "0"], "--votes"),
        (["-", "--mode", "telepathy"], "telepathy"),
        (["-", "--output", "/proc/nowhere/out.jsonl"], "/proc/nowhere/out.jsonl"),
        (["-", "--frobnicate"], "--frobnicate"),
    ],
)
def test_bad_arguments_are_one_line_and_exit_2(words: list[str], message: str) -> None:
    done = genprm("verify", *words, stdin=json.dumps(RIGHT))
    assert done.returncode == 2
    assert message in done.stderr
    said, _, accepted = done.stderr.partition("accepted are:\n")  # a list keeps its lines
    assert said.startswith("genprm: ")
    assert said.strip().count("\n") == 0
    assert all(line.startswith("  ") for line in accepted.splitlines())
    assert done.stdout == ""


def test_bad_rows_leave_nothing_half_written(tmp_path: Path) -> None:
    rows = tmp_path / "rows.jsonl"
    rows.write_text(json.dumps(RIGHT) + '\n{"problem": "p"}\n')
    done = genprm("verify", str(rows), "--output", str(tmp_path / "out.jsonl"))
    assert done.returncode == 2
    assert f"{rows}:2: field steps" in done.stderr
    assert os.listdir(tmp_path) == ["rows.jsonl"]
