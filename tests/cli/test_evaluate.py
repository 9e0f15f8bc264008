"""`genprm evaluate` and `genprm report` as a person runs them."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ENGINES = ("openvino", "torch", "transformers", "matplotlib")


def genprm(*words: object, status: int = 0) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", "genprm", *map(str, words)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == status, done.stderr
    return done


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    steps = ["2 + 2 = 4", "4 * 3 = 13", "13 - 1 = 12"]
    for subset, labels in (("gsm8k", [1, 1, -1]), ("math", [1, 0, -1, -1])):
        rows = [
            {
                "id": f"{subset}-{index}",
                "problem": "(2 + 2) * 3 - 1 = ?",
                "steps": steps if label == 1 else ["2 + 2 = 4"],
                "label": label,
                "generator": "hand",
                "final_answer_correct": False,
            }
            for index, label in enumerate(labels)
        ]
        (folder / f"{subset}.json").write_text(json.dumps(rows))
    return folder


def test_stored_predictions_as_json(data: Path, tmp_path: Path) -> None:
    stored = tmp_path / "predictions.jsonl"
    first_errors = {"gsm8k-0": 1, "gsm8k-1": None, "gsm8k-2": -1, "math-0": 1, "math-2": -1}
    stored.write_text(
        "".join(
            json.dumps({"id": key, "first_error": value}) + "\n"
            for key, value in {**first_errors, "other-0": 3}.items()
        )
    )
    done = genprm("evaluate", "processbench", data, "--predictions", stored, "--json")
    summary: dict[str, Any] = json.loads(done.stdout)
    gsm8k, math = summary["subsets"]["gsm8k"], summary["subsets"]["math"]
    assert (gsm8k["error_accuracy"], gsm8k["correct_accuracy"]) == (50.0, 100.0)
    assert (math["error_accuracy"], math["correct_accuracy"], math["f1"]) == (50.0, 50.0, 50.0)
    assert summary["average_f1"] == pytest.approx((200 / 3 + 50) / 2)
    assert summary["abstained_ids"] == ["gsm8k-1", "math-1", "math-3"]
    assert "other-0" in done.stderr


def test_bad_lines_of_predictions_are_named_or_left_out(data: Path, tmp_path: Path) -> None:
    stored = tmp_path / "predictions.jsonl"
    lines = ['{"id": "gsm8k-0", "first_error": 1}', "{broken", '{"first_error": 2}', "[3]"]
    stored.write_text("\n".join([*lines, '{"id": "gsm8k-0", "first_error": 2}']))
    words = ["evaluate", "processbench", str(data), "--predictions", str(stored), "--json"]
    refused = genprm(*words, status=2)
    assert "predictions.jsonl:2: broken JSON" in refused.stderr
    skipped = genprm(*words, "--skip-bad-rows")
    assert "4 rows were left out; the first: " in skipped.stderr
    assert json.loads(skipped.stdout)["subsets"]["gsm8k"]["error_accuracy"] == 50.0


def test_baselines_then_a_report(data: Path, tmp_path: Path) -> None:
    for judge in ("calculator", "constant"):
        genprm("evaluate", "processbench", data, "--judge", judge, "--output", tmp_path / judge)
    page, tables = tmp_path / "report.html", tmp_path / "report.md"
    runs = tmp_path / "calculator", tmp_path / "constant"
    genprm("report", *runs, "-o", page, "--markdown", tables, "--csv", tmp_path / "csv")
    assert "calculator" in page.read_text()
    assert "| constant − calculator |" in tables.read_text()
    assert (tmp_path / "csv" / "f1.csv").read_text().startswith("run,gsm8k,math,average")


def test_choosing_among_stored_samples(tmp_path: Path) -> None:
    pool = tmp_path / "pool.jsonl"
    row = {
        "id": 1,
        "answer": "4",
        "responses": ["The answer is 4.", r"\boxed{5}", "So **4**."],
        "prm_step_scores": {"prm": [[0.2], [0.9, 0.1], [0.8]]},
    }
    pool.write_text(json.dumps(row) + "\n")
    figure = tmp_path / "figure.svg"
    done = genprm("evaluate", "best-of-n", pool, "--json", "--figure", figure, "-o", tmp_path / "o")
    (selection,) = json.loads(done.stdout)
    curves = {(c["method"], c["aggregate"]): c["mean"] for c in selection["curves"]}
    assert curves["Pass@N", None] == pytest.approx([200 / 3, 100, 100])
    assert curves["Majority", None] == pytest.approx([200 / 3, 200 / 3, 100])
    assert curves["Best-of-N", "last"][-1] == 100
    assert "<svg" in figure.read_text()
    assert json.loads((tmp_path / "o" / "selection.json").read_text()) == [selection]


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["--subset", "physics"], "physics"),
        (["--judge", "critic"], "#NAME"),
        (["--predictions", "absent.jsonl"], "absent.jsonl"),
    ],
)
def test_mistakes_are_one_line(data: Path, words: list[str], named: str) -> None:
    done = genprm("evaluate", "processbench", data, *words, status=2)
    assert done.stdout == ""
    assert named in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_scoring_loads_no_engine() -> None:
    code = (
        "import sys, genprm.cli.main, genprm.cli.evaluation;"
        f"print([m for m in {ENGINES!r} if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
