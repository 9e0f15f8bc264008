"""ProcessBench's numbers, to the digit of the official script."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genprm.evaluate.labelled import LabelledSolution, read_files
from genprm.evaluate.metrics import average, score, score_subsets
from genprm.evaluate.predictions import read_predictions
from genprm.evaluate.summary import summarise
from genprm.problem import Solution


def official(data: list[dict[str, Any]]) -> tuple[float, float, float]:
    """The lines of `code/run_eval_prm_rlhflow.py` that compute its numbers."""
    data1 = [e for e in data if e["label"] != -1]
    data2 = [e for e in data if e["label"] == -1]
    acc1 = np.mean([e["match"] for e in data1]) * 100
    acc2 = np.mean([e["match"] for e in data2]) * 100
    return acc1, acc2, 2 * acc1 * acc2 / (acc1 + acc2)


def row(identity: str, label: int, **fields: Any) -> LabelledSolution:
    return LabelledSolution(Solution("p", ("s",) * 9, identity), label, **{"subset": "s"} | fields)


outcomes = st.lists(
    st.tuples(st.integers(-1, 4), st.one_of(st.none(), st.integers(-1, 4))), max_size=60
)


@given(outcomes)
def test_scores_are_the_official_scripts(pairs: list[tuple[int, int | None]]) -> None:
    pairs = [(0, 0), (-1, -1), *pairs]  # where all are missed the script divides by zero
    ours = score([label for label, _ in pairs], [prediction for _, prediction in pairs])
    theirs = official([{"label": a, "match": b == a} for a, b in pairs])
    assert (ours.error_accuracy, ours.correct_accuracy, ours.f1) == theirs


def test_where_the_script_divides_by_zero() -> None:
    assert score([0, -1], [1, 0]).f1 == 0.0
    only_errors = score([0, 3], [0, 2])
    assert (only_errors.error_accuracy, only_errors.correct_accuracy) == (50.0, None)
    assert only_errors.f1 is None
    assert average([70.0, None]) is None


def test_a_row_without_a_prediction_is_a_miss_and_counted() -> None:
    rows = [row("a", 2), row("b", -1), row("c", -1)]
    scores = score_subsets(rows, {"a": 2, "b": None})["s"]
    assert (scores.error_accuracy, scores.correct_accuracy, scores.abstained) == (100.0, 0.0, 2)


def test_breakdowns_hold_every_row_they_apply_to() -> None:
    rows = [
        row("a", 2, generator="G", answer_correct=True),
        row("b", 0, generator="H", answer_correct=False),
        row("c", -1, generator="G", answer_correct=True),
    ]
    parts = summarise(rows, {"a": 2, "b": 1, "c": -1}).breakdowns
    assert parts["generator"]["G"].f1 == 100.0
    assert parts["error_position"]["0"].error_accuracy == 0.0
    assert parts["process"]["right answer, wrong process"].error_accuracy == 100.0
    assert parts["steps"]["7-9"].errors == 2


def test_stored_predictions_broken_ones_included(tmp_path: Path) -> None:
    data, stored = tmp_path / "gsm8k.json", tmp_path / "predictions.jsonl"
    labels = {"gsm8k-0": 1, "gsm8k-1": -1, "gsm8k-2": 0, "gsm8k-3": -1, "gsm8k-4": 1}
    data.write_text(
        json.dumps(
            [
                {"id": key, "problem": "p", "steps": ["a", "b"], "label": label}
                for key, label in labels.items()
            ]
        )
    )
    lines: list[dict[str, Any]] = [
        {"id": "gsm8k-0", "first_error": "1"},
        {"id": "gsm8k-1", "first_error": None},
        {"id": "gsm8k-2", "first_error": "step 0"},
        {"id": "gsm8k-3", "prediction": -1},
        {"id": "gsm8k-4", "first_error": True},
        {"id": "elsewhere-7", "first_error": 0},
    ]
    stored.write_text("".join(json.dumps(line) + "\n" for line in lines))
    rows, predictions = read_files([data]), read_predictions(stored)
    summary = summarise(rows, predictions.first_errors)
    assert summary.subsets["gsm8k"].error_accuracy == pytest.approx(100 / 3)
    assert summary.subsets["gsm8k"].correct_accuracy == 50.0
    assert summary.abstained_ids == ("gsm8k-1", "gsm8k-2", "gsm8k-4")
    assert set(predictions.unreadable) == {"gsm8k-2", "gsm8k-4"}
    assert predictions.unknown(rows) == ["elsewhere-7"]
