"""The warning where the shipped model judges text unlike what it was trained on."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from genprm.cli.main import app

KNOWN = {"problem": "Evaluate (7 - 4) * 2.", "steps": ["Step 1: (7 - 4) * 2 = 3 * 2 = 6."]}
STRANGE = {
    "problem": "A robe takes 2 bolts of blue fiber and half that much white fiber. How many?",
    "steps": ["Step 1: It takes 2 / 2 = 1 bolt of white fiber."],
}


@pytest.mark.parametrize(
    ("rows", "words", "said"),
    [
        ([KNOWN, STRANGE], ["-m", "arithmetic"], "1 of 2 problems unlike"),
        ([STRANGE], ["--mode", "direct"], "1 of 1 problem unlike"),
        ([KNOWN], ["-m", "arithmetic"], None),
        ([STRANGE], [], None),  # code judges what the shipped model was not trained on
    ],
)
def test_strange_problems_are_counted_once(
    tmp_path: Path, rows: list[object], words: list[str], said: str | None
) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    done = CliRunner().invoke(app, ["verify", str(file), "--json", "--max-tokens", "8", *words])
    assert done.exit_code == 0, done.output
    if said is None:
        assert "warning" not in done.stderr
    else:
        assert done.stderr.count(said) == 1
        assert "fix: leave out --model" in done.stderr
    assert len(done.stdout.splitlines()) == len(rows)
