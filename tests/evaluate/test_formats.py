"""Every public set's own convention of index and of "no error", translated."""

import json
from pathlib import Path
from typing import Any

import pytest

from genprm.bad_rows import BadRows
from genprm.errors import InputError
from genprm.evaluate.labelled import read_files
from genprm.records.labelled import UnusableLabel, translate

STEPS = ["one", "two", "three"]


def mr_gsm8k(correctness: str, place: Any) -> dict[str, Any]:
    return {
        "uuid": "u",
        "question": "q",
        "model_output_steps": STEPS,
        "model_output_answer_correctness": "correct",
        "model_output_solution_correctness": correctness,
        "model_output_solution_first_error_step": place,
        "question_type": "POT",
    }


def mr_ben(correctness: str, place: Any) -> dict[str, Any]:
    return {
        "Question_UUID": "u",
        "Subject": "logic",
        "Question": "q",
        "Options": "A or B",
        "Sampled_Model": "M",
        "Model_Solution_Steps": STEPS,
        "Model_Solution_Correctness": correctness,
        "Model_Solution_First_Error_Step": place,
    }


def prmbench(error_steps: list[int], kind: str = "confidence") -> dict[str, Any]:
    return {
        "idx": 7,
        "original_question": "o",
        "modified_question": "m",
        "original_process": STEPS[:2],
        "modified_process": STEPS,
        "error_steps": error_steps,
        "classification": kind,
    }


def prm800k(ratings: list[int], finish: str | None = None) -> dict[str, Any]:
    steps = [
        {
            "completions": [{"text": f"s{index}", "rating": rating}],
            "human_completion": None,
            "chosen_completion": 0,
        }
        for index, rating in enumerate(ratings)
    ]
    label = {"steps": steps, "finish_reason": finish}
    return {"labeler": "l", "question": {"problem": "p"}, "label": label}


@pytest.mark.parametrize(
    ("fields", "first_errors"),
    [
        ({"problem": "p", "steps": STEPS, "label": 2}, [2]),
        ({"problem": "p", "steps": STEPS, "label": -1}, [-1]),
        ({"input": "p", "steps": STEPS, "mistake_index": None}, [-1]),
        ({"input": "p", "steps": STEPS, "mistake_index": 0}, [0]),
        ({"problem": "p", "student_incorrect_solution": STEPS, "incorrect_index": 1}, [1]),
        (mr_gsm8k("wrong", "2"), [1]),
        (mr_gsm8k("wrong", 1), [0]),
        (mr_gsm8k("correct", "N/A"), [-1]),
        (mr_ben("incorrect", "3"), [2]),
        (mr_ben("correct", "N/A"), [-1]),
        (prmbench([3, 2]), [1]),
        (prmbench([]), [-1]),
        (prmbench([1], "redundency"), [0, -1]),
        (prm800k([1, 0, -1]), [2]),
        (prm800k([1, -1, 1], "solution"), [1]),
        (prm800k([1, 0], "solution"), [-1]),
        ({"problem": "p", "steps": STEPS, "label": 2.0}, [2]),
    ],
)
def test_conventions(fields: dict[str, Any], first_errors: list[int]) -> None:
    assert [row.first_error for row in translate(fields)] == first_errors


@pytest.mark.parametrize(
    "fields",
    [
        mr_gsm8k("wrong", "N/A"),
        mr_gsm8k("wrong", 0),
        mr_ben("incorrect", "N/A"),
        prmbench([0]),
        prmbench([9]),
        prm800k([1, 0], "give_up"),
        {"problem": "p", "steps": STEPS, "label": 3},
        {"problem": "p", "steps": STEPS, "label": -2},
        {"input": "p", "steps": STEPS, "mistake_index": -1},
        {"problem": "p", "student_incorrect_solution": STEPS, "incorrect_index": -1},
    ],
)
def test_a_label_that_says_nothing_is_no_label(tmp_path: Path, fields: dict[str, Any]) -> None:
    with pytest.raises(UnusableLabel):
        translate(fields)
    path = tmp_path / "rows.jsonl"
    good = {"problem": "p", "steps": STEPS, "label": 0}
    path.write_text(json.dumps(good) + "\n" + json.dumps(fields))
    bad = BadRows()
    assert len(read_files([path], bad)) == 1
    assert "rows.jsonl:2: the" in str(bad) or "rows.jsonl:2: a step" in str(bad)


def test_bad_rows_can_be_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    good = json.dumps({"problem": "p", "steps": STEPS, "label": 0})
    path.write_text(
        f'{good}\n{{broken\n{{"problem": "\\ud83d", "steps": ["a"], "label": 0}}\n[1]\n'
    )
    bad = BadRows(skip=True)
    assert len(read_files([path], bad)) == 1
    assert str(bad).startswith("3 rows were left out; the first: ")
    assert "rows.jsonl:2: broken JSON" in str(bad)


def test_steps_written_as_a_list_in_a_text() -> None:
    fields = mr_gsm8k("wrong", 2) | {"model_output_steps": str(STEPS)}
    assert translate(fields)[0].steps == tuple(STEPS)


def test_a_human_completion_continues_a_prm800k_path() -> None:
    fields = prm800k([-1, 1], "solution")
    fields["label"]["steps"][0] |= {
        "chosen_completion": None,
        "human_completion": {"text": "by hand", "rating": None},
    }
    (row,) = translate(fields)
    assert row.steps == ("by hand", "s1")
    assert row.first_error == -1


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"problem": "p", "steps": STEPS, "label": "two"}, "label"),
        ({"problem": "p", "steps": "one two", "label": 0}, "steps"),
        ({"problem": "p", "steps": [], "label": -1}, "no steps"),
        ({"steps": STEPS, "label": 0}, "problem"),
        ({"text": "?"}, "no known format"),
        ([1], "not a JSON object"),
    ],
)
def test_a_broken_row_is_named(tmp_path: Path, fields: Any, named: str) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text(
        json.dumps({"problem": "p", "steps": STEPS, "label": 0}) + "\n" + json.dumps(fields)
    )
    with pytest.raises(InputError, match=named) as caught:
        read_files([path])
    assert "rows.jsonl:2" in str(caught.value)


def test_subsets_come_from_ids_or_file_names(tmp_path: Path) -> None:
    rows = [
        {"id": "math-3", "problem": "p", "steps": STEPS, "label": 0},
        {"problem": "p", "steps": STEPS, "label": 0},
        {"id": "x", "problem": "p", "steps": STEPS, "label": 0, "subset": "mine"},
    ]
    (tmp_path / "mixed.json").write_text(json.dumps(rows))
    read = read_files([tmp_path])
    assert [(row.id, row.subset) for row in read] == [
        ("math-3", "math"),
        ("mixed-1", "mixed"),
        ("x", "mine"),
    ]


def test_an_id_cannot_occur_twice(tmp_path: Path) -> None:
    row = json.dumps({"id": "a", "problem": "p", "steps": STEPS, "label": 0})
    path = tmp_path / "rows.jsonl"
    path.write_text(f"{row}\n{row}\n")
    with pytest.raises(InputError, match="jsonl:2"):
        read_files([path])


def documented_prmbench(**changed: Any) -> dict[str, Any]:
    """A row with every field of the set's documentation (docs/data_format.md)."""
    row = prmbench([2, 3], "circular") | {
        "modified_steps": [2, 3],
        "reason": "Step 2 assumes the result.",
        "question": "o",
        "idx": "circular_prm_test_p1_0",
    }
    return row | changed


def test_a_prmbench_file_is_read_and_each_bad_row_named_or_left_out(tmp_path: Path) -> None:
    bad_rows: list[dict[str, Any]] = [
        documented_prmbench(idx="a", error_steps=[9]),
        documented_prmbench(idx="b", error_steps=["third"]),
        documented_prmbench(idx="c", modified_process=[]),
        documented_prmbench(idx="d", modified_process=["one", 2]),
        documented_prmbench(idx="e", modified_process=None),
        documented_prmbench(idx="f", classification=None),
        documented_prmbench(idx="g", error_steps=None),
        documented_prmbench(idx="h", modified_question=3),
        documented_prmbench(idx="i", error_steps=[float("nan")]),
        documented_prmbench(),  # its id twice
    ]
    good = [
        documented_prmbench(),
        documented_prmbench(idx="0", classification="multi_solutions", error_steps=[]),
        documented_prmbench(idx="1", classification="redundency", error_steps=[3.0]),
        documented_prmbench(idx="2", error_steps=["2"], modified_process=str(STEPS)),
    ]
    file = tmp_path / "prmbench.jsonl"
    lines = [json.dumps(row) for row in [*good, *bad_rows]] + ['{"idx": "cut off']
    file.write_text("\n".join(lines))
    bad = BadRows(skip=True)
    rows = {row.id: row.first_error for row in read_files([file], bad)}
    assert rows == {
        "circular_circular_prm_test_p1_0": 1,
        "multi_solutions_0": -1,
        "redundency_1": 2,
        "correct_1": -1,
        "circular_2": 1,
    }
    assert len(bad.causes) == len(bad_rows) + 1
    for number, cause in enumerate(bad.causes, start=5):
        assert cause.startswith(f"{file}:{number}: ")
        assert "fix:" in cause
    with pytest.raises(InputError, match=rf"{file}:\d+: .*fix:"):
        read_files([file])
