"""Problems from files, real ones too, and what is wrong with bad ones."""

import json
from pathlib import Path

import pytest
from shared_data import shared

from genprm.bad_rows import BadRows
from genprm.curate.problems import read_problems
from genprm.errors import InputError


def file_of(tmp_path: Path, *rows: object) -> str:
    file = tmp_path / "problems.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(file)


@pytest.mark.parametrize(
    ("row", "answer"),
    [
        ({"problem": "1 + 1", "answer": "2"}, "2"),
        ({"question": "1 + 1", "answer": 2}, "2"),
        ({"problem": "1 + 1", "answer": 27.0}, "27"),
        ({"problem": "1 / 2", "answer": 0.5}, "0.5"),
        ({"problem": "1 + 1", "solution": r"It is \boxed{\frac{4}{2}}."}, r"\frac{4}{2}"),
        ({"question": "1 + 1", "answer": "One and one.\n#### 2"}, "2"),
    ],
)
def test_answers(tmp_path: Path, row: object, answer: str) -> None:
    (problem,) = read_problems(file_of(tmp_path, row))
    assert problem.answer == answer
    assert problem.id == "0"


@pytest.mark.parametrize(
    ("rows", "fault"),
    [
        ([{"answer": "2"}], r"problems\.jsonl:1: field problem: missing"),
        ([{"problem": "1 + 1"}], r"problem 0: field answer: missing; fix: add it"),
        ([{"problem": "", "answer": "2"}], r":1: field problem: is empty"),
        ([3], r":1: this is not a JSON object"),
        ([{"problem": "a", "answer": "1", "id": 5}] * 2, "id '5' twice"),
        ([], "no rows"),
    ],
)
def test_faults_are_one_line_with_their_place(
    tmp_path: Path, rows: list[object], fault: str
) -> None:
    with pytest.raises(InputError, match=fault):
        read_problems(file_of(tmp_path, *rows))


def test_bad_rows_are_left_out_and_counted_where_that_is_asked_for(tmp_path: Path) -> None:
    good = {"problem": "1 + 1", "answer": "2", "id": "a"}
    bad = BadRows(skip=True)
    rows = [good, {"problem": 3}, {"problem": "2 + 2"}, good, 3]
    assert [problem.id for problem in read_problems(file_of(tmp_path, *rows), bad)] == ["a"]
    assert len(bad.causes) == 4
    assert all("fix:" in cause for cause in bad.causes)


def test_a_missing_file_is_named() -> None:
    with pytest.raises(InputError, match=r"nowhere\.jsonl: No such file"):
        read_problems("nowhere.jsonl")


@pytest.mark.parametrize(
    "name", ["gsm8k/train.jsonl", "problems/amc23.jsonl", "problems/aime24.jsonl"]
)
def test_real_files(name: str) -> None:
    problems = read_problems(str(shared(name)))
    assert all(problem.text and problem.answer for problem in problems)


def test_parquet(tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    table = pytest.importorskip("pyarrow").Table.from_pylist(
        [{"problem": "1 + 1", "answer": "2", "level": 1}]
    )
    parquet.write_table(table, tmp_path / "p.parquet")
    (problem,) = read_problems(str(tmp_path / "p.parquet"))
    assert problem.text == "1 + 1"
