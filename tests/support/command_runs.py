"""A run of every command, made by the commands themselves with the shipped models.

`python command_runs.py DIR` writes them. Tests run it as a process of its own: Playwright keeps an
event loop in the tests' thread.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from fake_curation import curate
from typer.testing import CliRunner

from genprm.cli.main import app

PROBLEM = "Evaluate ((4 * 8 - 5) - (7 + 3 * -2))."
STEPS = [
    'This can be written as "A - B", where A = (4 * 8 - 5) and B = (7 + 3 * -2).',
    "We have A = 4 * 8 - 5 = 27.",
    "We have B = 7 + 3 * -2 = 3.",
    "Then A - B = 27 - 3 = 24. So the answer is \\boxed{24}",
]
COMMANDS = ("verify", "evaluate", "sample", "rank", "refine", "search", "curate", "failed")


def write_command_runs(folder: Path) -> Path:
    """The runs of `COMMANDS` in a folder, each under its command's name."""
    subprocess.run([sys.executable, __file__, str(folder)], check=True, timeout=300)
    return folder


def _write(folder: Path) -> None:
    asked = folder / "asked"
    asked.mkdir(parents=True)
    problems = _rows(asked / "problems.jsonl", {"id": "p1", "problem": PROBLEM, "answer": "26"})
    solutions = _rows(
        asked / "solutions.jsonl",
        {"id": "s1", "problem": PROBLEM, "steps": STEPS},
        {"id": "s2", "problem": PROBLEM, "steps": STEPS[:2]},
    )
    labelled = _rows(
        asked / "labelled.jsonl",
        {"id": "s1", "problem": PROBLEM, "steps": STEPS, "label": 2},
        {"id": "s2", "problem": PROBLEM, "steps": STEPS[:2], "label": 1},
    )
    run("verify", solutions, "--votes", "3", "-m", "arithmetic", "-o", folder / "verify.jsonl")
    run("evaluate", "processbench", labelled, "--votes", "2", "-o", folder / "evaluate")
    run("sample", problems, "-k", "3", "-o", folder / "sample.jsonl")
    run("rank", folder / "sample.jsonl", "--votes", "2", "-o", folder / "rank.jsonl")
    run("refine", problems, "--turns", "1", "-o", folder / "refine.jsonl")
    run("search", problems, "--beams", "2", "-o", folder / "search.jsonl")
    curate(folder / "curate")
    failed = {"kind": "failed", "id": "lost", "row": 0, "problem": PROBLEM, "failed": "no answer"}
    _rows(folder / "failed.jsonl", failed)
    (folder / "failed.jsonl.run.json").write_text('{"command": "verify"}')


def run(*words: object) -> None:
    """One command of genprm in this process."""
    done = CliRunner().invoke(app, [str(word) for word in words])
    assert done.exit_code == 0, (words, done.output, done.exception)


def rows_of(file: Path) -> Iterator[dict[str, object]]:
    """The rows of a file."""
    for line in file.read_text("utf-8").splitlines():
        yield json.loads(line)


def _rows(file: Path, *rows: dict[str, object]) -> Path:
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return file


if __name__ == "__main__":
    _write(Path(sys.argv[1]))
