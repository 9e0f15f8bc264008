"""Pools of samples: what is read, what is found out, what is refused; and real ones."""

import json
from collections.abc import Iterator
from pathlib import Path
from statistics import mean
from typing import Any

import pytest
from shared_data import shared

from genprm.answer import AnswerChecker
from genprm.errors import InputError
from genprm.evaluate.pools import GradedPool, read_graded
from genprm.evaluate.selection import BEST, MAJORITY, PASS, select


@pytest.fixture(scope="module")
def checker() -> Iterator[AnswerChecker]:
    with AnswerChecker(timeout=3.0) as checker:
        yield checker


def read(folder: Path, checker: AnswerChecker, **fields: Any) -> GradedPool:
    path = folder / "pool.jsonl"
    path.write_text(json.dumps({"id": 7} | fields) + "\n")
    (pool,) = read_graded(path, checker)
    return pool


def test_what_is_absent_is_found_out(tmp_path: Path, checker: AnswerChecker) -> None:
    responses = [r"\boxed{\frac12}", "The answer is 0.5.", "Who knows", "So **3**."]
    pool = read(tmp_path, checker, answer="1/2", responses=responses)
    assert pool == GradedPool("7", (True, True, False, False), (0, 0, None, 3), {})


def test_what_is_there_is_taken(tmp_path: Path, checker: AnswerChecker) -> None:
    scores = {"prm": [[0.1, 0.2], None]}
    pool = read(
        tmp_path, checker, extracted=["1", None], correct=[False, True], prm_step_scores=scores
    )
    assert pool == GradedPool("7", (False, True), (0, None), {"prm": ((0.1, 0.2), ())})


def test_stored_grades_can_be_doubted(tmp_path: Path, checker: AnswerChecker) -> None:
    """A grader that split 8,000 at the comma."""
    path = tmp_path / "pool.jsonl"
    row = {"id": 1, "answer": "8000", "responses": ["It costs **$8,000**."], "extracted": ["000"]}
    path.write_text(json.dumps(row | {"correct": [False]}))
    assert read_graded(path, checker)[0].correct == (False,)
    assert read_graded(path, checker, regrade=True)[0].correct == (True,)


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"extracted": ["1"]}, "answer or correct"),
        ({"answer": "1"}, "responses or extracted"),
        ({"answer": "1", "extracted": ["1"], "correct": [True, False]}, "different lengths"),
        ({"answer": "1", "responses": [3, None]}, "responses"),
    ],
)
def test_broken_rows_are_named(
    tmp_path: Path, checker: AnswerChecker, fields: dict[str, Any], named: str
) -> None:
    with pytest.raises(InputError, match=named) as caught:
        read(tmp_path, checker, **fields)
    assert "pool.jsonl" in str(caught.value)


def test_real_pools(tmp_path: Path, checker: AnswerChecker) -> None:
    """GSM8K problems x 32 samples with the scores of five public PRMs."""
    head = tmp_path / "gsm8k.jsonl"
    lines = shared("bon32/gsm8k_a.jsonl").read_text().splitlines(keepends=True)[:40]
    head.write_text("".join(lines))
    rows = [json.loads(line) for line in lines]
    selection = select("gsm8k", read_graded(head, checker))
    samples = 100 * mean(right for row in rows for right in row["correct"])
    solved = 100 * mean(any(row["correct"]) for row in rows)
    reach = selection.curve(PASS).mean
    assert (selection.problems, selection.samples) == (40, 32)
    assert (reach[0], reach[-1]) == pytest.approx((samples, solved))
    assert selection.curve(MAJORITY).mean[:2] == pytest.approx([samples, samples])
    for scorer in ("qwen_prm", "math_shepherd", "skywork_prm", "rlhflow_prm"):
        curve = selection.curve(BEST, scorer, "last")
        assert curve.mean[0] == pytest.approx(samples)
        for n in range(32):
            assert curve.mean[n] <= reach[n] + 1e-9
            assert curve.low[n] <= curve.mean[n] <= curve.high[n]
