"""Rows of many sources become solutions; bad input becomes one clear line."""

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shared_data import shared

from genprm.dataset import read_solutions
from genprm.errors import InputError
from genprm.problem import Solution

ROW = {"problem": "1 + 1?", "steps": ["1 + 1 = 2.", "So 2."]}


def read(folder: Path, text: str | bytes, name: str = "rows.jsonl") -> list[Solution]:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_solutions(str(path))


def lines(*rows: Any) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def test_rows_keep_their_id_and_their_other_fields(tmp_path: Path) -> None:
    (solution,) = read(tmp_path, lines({**ROW, "id": "math-7", "generator": "Qwen", "label": 1}))
    assert solution == Solution(
        "1 + 1?", ("1 + 1 = 2.", "So 2."), "math-7", {"generator": "Qwen", "label": 1}
    )


def test_a_solution_text_is_split(tmp_path: Path) -> None:
    (solution,) = read(tmp_path, lines({"problem": "p", "solution": "one\n\ntwo"}))
    assert solution.steps == ("one", "two")


@pytest.mark.parametrize("name", ["rows.json", "rows", "rows.jsonl"])
@pytest.mark.parametrize("text", [json.dumps([ROW, ROW], indent=2), lines(ROW, ROW)])
def test_documents_and_lines(tmp_path: Path, name: str, text: str) -> None:
    assert [solution.steps for solution in read(tmp_path, text, name)] == [
        ("1 + 1 = 2.", "So 2.")
    ] * 2


def test_plain_text(tmp_path: Path) -> None:
    (solution,) = read(tmp_path, "What is 1 + 1?\n\nIt is 1 + 1 = 2.\n\nSo 2.", "a.txt")
    assert solution == Solution("What is 1 + 1?", ("It is 1 + 1 = 2.", "So 2."))


def test_big_bench_mistake() -> None:
    solutions = read_solutions(str(shared("bigbench_mistake/multistep_arithmetic.jsonl")))
    assert len(solutions) == 150
    assert solutions[0].problem.endswith("=")
    assert solutions[0].extra["mistake_index"] == 3


def test_prm800k() -> None:
    solutions = read_solutions(str(shared("openr_samples/samples_prm800k.jsonl")))
    assert len(solutions) == 6
    assert solutions[0].problem.startswith("Three pencils")
    assert solutions[0].steps[1] == "We have $3p+e=1.24$ and $5p+e=1.82$."


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (lines(ROW) + "{broken\n", r"rows.jsonl:2: broken JSON \(Expecting property name"),
        (
            lines(ROW, {"problem": "p"}),
            "rows.jsonl:2: field steps: missing or empty; fix: give a list",
        ),
        (lines({"steps": ["a"]}), "field problem: missing; fix"),
        (lines({**ROW, "steps": []}), "field steps: missing or empty"),
        (lines({**ROW, "steps": ["a", " "]}), r"field steps\.1: is empty; fix"),
        (lines({**ROW, "steps": ["a", 2]}), r"field steps\.1: Input should be a valid string"),
        (lines({**ROW, "steps": ["a\0"]}), r"field steps\.0: contains a NUL character; fix"),
        (lines({**ROW, "steps": ["a"] * 10_000}), "10,000 steps; fix: split it into at most 1,000"),
        (lines({**ROW, "steps": ["a" * 1_000_000]}), r"steps\.0: has 1,000,000 characters"),
        (lines({**ROW, "steps": ["\ud800"]}), r"steps\.0: contains half a surrogate pair"),
        (lines([1, 2]), "not a JSON object"),
        (lines("text"), "not a JSON object"),
        ("[" * 100_000, "broken JSON"),
        ('{"problem": ' + "9" * 5000 + "}", "broken JSON"),
        ("", "no rows"),
        (b'{"problem": "\xff"}', r"rows.jsonl:1: the text is not UTF-8; fix"),
    ],
)
def test_bad_input_is_one_line_that_names_the_place(
    tmp_path: Path, text: str | bytes, message: str
) -> None:
    with pytest.raises(InputError, match=message) as caught:
        read(tmp_path, text)
    assert "\n" not in str(caught.value)


def test_a_missing_file() -> None:
    with pytest.raises(InputError, match=r"nowhere\.jsonl: No such file"):
        read_solutions("nowhere.jsonl")


def test_a_problem_without_a_solution(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no solution; fix"):
        read(tmp_path, "What is 1 + 1?", "a.txt")


@settings(deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    ["problem", "question", "input", "steps", "solution", "label", "id"]
                ),
                inner,
                max_size=4,
            )
        ),
        max_leaves=12,
    )
)
def test_any_json_gives_solutions_or_an_input_error(tmp_path_factory: Any, row: Any) -> None:
    path = tmp_path_factory.getbasetemp() / "any.jsonl"
    path.write_text(json.dumps(row) + "\n")
    with suppress(InputError):
        solutions = read_solutions(str(path))
        assert all(solution.steps and all(solution.steps) for solution in solutions)
