"""Every kind of input file, fed to the readers of every command that takes it: they agree."""

import gzip
import json
from pathlib import Path

import pytest

from genprm.bad_rows import BadRows
from genprm.cli.evaluation import labelled_rows, selections
from genprm.cli.inputs import read_items
from genprm.curate.problems import read_problems as read_curated
from genprm.dataset import read_problems, read_solutions
from genprm.errors import InputError
from genprm.pools import read_pools

STEPS = ["1 + 1 = 2.", "The answer is 2."]
PRM800K: dict[str, object] = {
    "labeler": "x",
    "question": {"problem": "1 + 1?", "ground_truth_answer": "2"},
    "label": {
        "steps": [
            {"completions": [{"text": step, "rating": 1}], "chosen_completion": 0} for step in STEPS
        ],
        "finish_reason": "solution",
    },
}
ROWS: dict[str, dict[str, object]] = {
    "ours": {"problem": "1 + 1?", "steps": STEPS, "answer": "2"},
    "processbench": {"id": "gsm8k-1", "problem": "1 + 1?", "steps": STEPS, "label": -1},
    "big-bench-mistake": {"input": "1 + 1?", "steps": STEPS, "mistake_index": None},
    "prm800k": PRM800K,
    "math-500": {"unique_id": "a/1", "problem": "1 + 1?", "solution": r"\boxed{2}", "answer": "2"},
    "gsm8k": {"question": "1 + 1?", "answer": "One and one.\n#### 2"},
    "math-aps": {"question": "1 + 1?", "final_answer": "2"},
    "number": {"problem": "1 + 1?", "answer": 2.0},
    "pool": {"id": "p", "problem": "1 + 1?", "answer": "2", "responses": ["It is 2.", "It is 3."]},
    "answers": {"id": "p", "answer": "2", "extracted": ["2", "3"]},
}
SOLUTIONS = ("ours", "processbench", "big-bench-mistake", "prm800k", "math-500")
LABELLED = ("processbench", "big-bench-mistake", "prm800k")
GOLD = ("ours", "prm800k", "math-500", "gsm8k", "math-aps", "number", "pool")


@pytest.fixture(params=["jsonl", "json", "jsonl.gz"])
def packing(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def write(folder: Path, kind: str, packing: str) -> Path:
    path = folder / f"{kind}.{packing}"
    row = ROWS[kind]
    data = json.dumps([row] if packing == "json" else row).encode()
    path.write_bytes(gzip.compress(data) if packing.endswith("gz") else data)
    return path


@pytest.mark.parametrize("kind", [kind for kind in ROWS if kind != "answers"])
def test_sample_search_and_curate_read_the_same_problem(
    tmp_path: Path, packing: str, kind: str
) -> None:
    source = str(write(tmp_path, kind, packing))
    (problem,) = read_problems(source)
    (item,) = read_items(source, None, skip_bad_rows=False)
    assert item.problem == problem
    assert problem.text == "1 + 1?"
    if kind in GOLD:
        assert problem.answer == "2"
        assert read_curated(source) == [problem]
    else:
        with pytest.raises(InputError, match="field answer: missing"):
            read_curated(source)


@pytest.mark.parametrize("kind", ROWS)
def test_verify_takes_what_holds_solutions(tmp_path: Path, packing: str, kind: str) -> None:
    source = str(write(tmp_path, kind, packing))
    if kind in SOLUTIONS:
        (solution,) = read_solutions(source)
        assert solution.problem == "1 + 1?"
    else:
        with pytest.raises(InputError, match="field"):
            read_solutions(source)


@pytest.mark.parametrize("kind", ROWS)
def test_evaluate_takes_what_holds_labels(tmp_path: Path, packing: str, kind: str) -> None:
    source = str(write(tmp_path, kind, packing))
    if kind in LABELLED:
        (row,) = labelled_rows([source], None, None, skip_bad_rows=False)
        (solution,) = read_solutions(source)
        assert row.solution.steps == solution.steps == tuple(STEPS)
        assert row.first_error == -1
    else:
        with pytest.raises(InputError, match="the row has no known format"):
            labelled_rows([source], None, None, skip_bad_rows=False)


@pytest.mark.parametrize("kind", ["pool", "answers"])
def test_best_of_n_and_rank_read_the_same_pool(tmp_path: Path, packing: str, kind: str) -> None:
    path = write(tmp_path, kind, packing)
    (pool,) = read_pools(str(path))
    assert pool.problem.answer == "2"
    (selection,) = selections([path], 1, None, regrade=False, skip_bad_rows=False)
    assert (selection.problems, selection.samples) == (1, 2)
    if kind == "pool":
        assert read_items(None, str(path), skip_bad_rows=False) == [pool]
    else:
        with pytest.raises(InputError, match="field problem: missing"):
            read_items(None, str(path), skip_bad_rows=False)


def test_bad_rows_are_told_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text(json.dumps(ROWS["ours"]) + "\n{broken\n[]\n")
    assert len(read_items(str(path), None, skip_bad_rows=True)) == 1
    told = capsys.readouterr().err
    assert told.startswith("genprm: 2 rows were left out; the first: ")
    assert "rows.jsonl:2: broken JSON" in told
    with pytest.raises(InputError, match=r"rows\.jsonl:2: broken JSON"):
        read_items(str(path), None, skip_bad_rows=False)
    assert not BadRows().causes
