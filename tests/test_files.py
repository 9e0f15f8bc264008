"""Files as people have them: packed, marked, with any line ends; and what is no data at all."""

import gzip
import json
from pathlib import Path

import pytest

from genprm.dataset import read_problems, read_solutions
from genprm.errors import InputError
from genprm.evaluate.labelled import read_files
from genprm.pools import read_pools

ROW = {
    "id": "a",
    "problem": "1 + 1?",
    "steps": ["1 + 1 = 2."],
    "label": -1,
    "answer": "2",
    "responses": ["1 + 1 = 2."],
}
LINE = json.dumps(ROW)


def parquet() -> bytes:
    pyarrow = pytest.importorskip("pyarrow")
    sink = pyarrow.BufferOutputStream()
    pytest.importorskip("pyarrow.parquet").write_table(pyarrow.Table.from_pylist([ROW]), sink)
    data: bytes = sink.getvalue().to_pybytes()
    return data


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("r.jsonl", LINE.encode()),
        ("r.jsonl", f"{LINE}\r\n".encode()),
        ("r.jsonl", f"{LINE}\r".encode()),
        ("r.jsonl", LINE.encode("utf-16-be")),
        ("r.json", json.dumps(ROW, indent=1).encode()),
        ("r.jsonl", f"\ufeff{LINE}".encode()),
        ("r.jsonl", f"\ufeff{LINE}\r\n".encode("utf-16-le")),
        ("r.jsonl", f"{LINE}\n".encode("utf-16-le")),
        ("r.jsonl", f"\ufeff{LINE}".encode("utf-16-be")),
        ("r.json", json.dumps([ROW], indent=2).encode()),
        ("r.jsonl.gz", gzip.compress(LINE.encode(), mtime=0)),
        ("r.txt", LINE.encode()),
        ("r.parquet", None),
    ],
)
def test_every_reader_takes_every_packing(tmp_path: Path, name: str, data: bytes | None) -> None:
    path = tmp_path / name
    path.write_bytes(parquet() if data is None else data)
    (solution,) = read_solutions(str(path))
    (problem,) = read_problems(str(path))
    (labelled,) = read_files([path])
    (pool,) = read_pools(str(path))
    assert solution.steps == labelled.solution.steps == ("1 + 1 = 2.",)
    assert problem == pool.problem
    assert (problem.id, problem.answer) == ("a", "2")


@pytest.mark.parametrize(
    ("data", "named"),
    [
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 3\n", "git lfs pull"),
        (b"<!DOCTYPE html><html>", "a web page"),
        (b"PK\x03\x04aaaa", "an archive"),
        (b"BZh91AY", "bunzip2"),
        (b"PAR1 and no more", "broken Parquet"),
        (gzip.compress(LINE.encode(), mtime=0)[:-9], "broken gzip"),
        (b'{"problem": "\xff"}', "not UTF-8"),
        (b"", "no rows"),
    ],
)
def test_what_is_no_data_is_named(tmp_path: Path, data: bytes, named: str) -> None:
    path = tmp_path / "r.jsonl"
    path.write_bytes(data)
    for read in (read_solutions, read_problems, read_pools):
        with pytest.raises(InputError, match=named) as caught:
            read(str(path))
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    ["[Easy] Add 1 and 1.\n\nIt is 2.", "{1, 2} is a set. Its size?\r\n\r\nIt is 2.", "a\r\rb"],
)
def test_plain_text(tmp_path: Path, text: str) -> None:
    path = tmp_path / "r.txt"
    path.write_bytes(text.encode())
    (solution,) = read_solutions(str(path))
    assert len(solution.steps) == 1


@pytest.mark.parametrize(
    ("fields", "answer"),
    [
        ({"answer": 72.0}, "72"),
        ({"answer": 1e22}, "10000000000000000000000"),
        ({"answer": 0.5}, "0.5"),
        ({"answer": float("nan")}, None),
        ({"answer": "nan"}, None),
        ({"answer": None}, None),
        ({"answer": ["2", "3"]}, "2, 3"),
        ({"answer": "First 70.\nThen 72.\n#### 72"}, "72"),
        ({"answer": "First 70.\nThe answer is 72."}, "72"),
        ({"final_answer": "72"}, "72"),
        ({"solution": r"So \boxed{72}."}, "72"),
        ({"answer": "\\begin{pmatrix} 1 \\\\\n2 \\end{pmatrix}"}, "\\begin{pmatrix} 1 \\\\\n2 \\end{pmatrix}"),  # noqa: E501
    ],
)  # fmt: skip
def test_gold_answers_are_read_in_one_way(
    tmp_path: Path, fields: dict[str, object], answer: str | None
) -> None:
    path = tmp_path / "r.jsonl"
    path.write_text(json.dumps({"unique_id": "test/7.json", "problem": "p"} | fields))
    (problem,) = read_problems(str(path))
    assert (problem.id, problem.answer) == ("test/7.json", answer)


def test_urls_are_read_with_fsspec(tmp_path: Path) -> None:
    fsspec = pytest.importorskip("fsspec")
    with fsspec.open("memory://bucket/r.jsonl", "wb") as file:
        file.write(LINE.encode())
    with fsspec.open("memory://bucket/r.parquet", "wb") as file:
        file.write(parquet())
    (tmp_path / "r.jsonl.gz").write_bytes(gzip.compress(LINE.encode()))
    for url in (
        "memory://bucket/r.jsonl",
        "memory://bucket/r.parquet",
        f"file://{tmp_path}/r.jsonl.gz",
    ):
        (problem,) = read_problems(url)
        assert problem.text == "1 + 1?"
    for url in ("memory://bucket/absent", f"file://{tmp_path}/absent", "nothing://x"):
        with pytest.raises(InputError, match=r"^[a-z]+://.*fix: "):
            read_problems(url)


@pytest.mark.parametrize("name", ["r.json", "r.jsonl"])
def test_objects_behind_each_other_that_take_several_lines(tmp_path: Path, name: str) -> None:
    file = tmp_path / name
    rows = [ROW, {**ROW, "id": "b"}]
    file.write_text("\n".join(json.dumps(row, indent=2) for row in rows))
    assert [row.id for row in read_files([file])] == ["a", "b"]
    assert [row.id for row in read_solutions(str(file))] == ["a", "b"]


@pytest.mark.parametrize(
    "data", [b"%PDF-1.7", b"SQLite format 3\x00", b"<?xml version='1.0'?><Error>"]
)
def test_other_kinds_of_files_are_named_too(tmp_path: Path, data: bytes) -> None:
    file = tmp_path / "r.jsonl"
    file.write_bytes(data)
    with pytest.raises(InputError, match=r"r\.jsonl: this is a .*; fix:"):
        read_solutions(str(file))


def test_headings_of_a_plain_text_are_no_part_of_it(tmp_path: Path) -> None:
    file = tmp_path / "t.txt"
    file.write_text("# Problem\nWhat is 1 + 1?\n\n# Solution\nIt is 2.")
    (solution,) = read_solutions(str(file))
    assert (solution.problem, solution.steps) == ("What is 1 + 1?", ("It is 2.",))


def test_where_every_label_is_unusable_the_first_cause_is_told(tmp_path: Path) -> None:
    file = tmp_path / "r.jsonl"
    file.write_text(json.dumps({**ROW, "label": 1}))
    with pytest.raises(InputError, match=r"no labelled rows.*labelled as step 1.*fix:"):
        read_files([file])
