"""From stored rows to what the page is sent, to corrections, and back to rows: no browser."""

import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from runs import HOSTILE, hostile, solution, write_run

pytest.importorskip("starlette")
from starlette.testclient import TestClient

from genprm.errors import InputError
from genprm.evaluate.labelled import read_files
from genprm.viewer.app import viewer_app
from genprm.viewer.documents import CodeRun
from genprm.viewer.evidence import find_evidence, printing_line
from genprm.viewer.index import RunIndex
from genprm.viewer.library import Library
from genprm.viewer.query import Query
from genprm.viewer.reader import read_document
from genprm.viewer.runs import find_runs


def library_of(path: Path) -> Library:
    library = Library(find_runs([path]))
    library.build()
    return library


@given(
    st.binary()
    | st.recursive(st.none() | st.text(), st.lists, max_leaves=5).map(
        lambda value: json.dumps(value).encode()
    )
)
def test_any_line_becomes_a_document(line: bytes) -> None:
    assert read_document(line, 3).index == 3


def test_a_row_keeps_every_text() -> None:
    document = read_document(json.dumps(hostile(0)), 0)
    assert document.steps[0].votes[0].analysis == HOSTILE
    assert document.steps[1].votes[0].reward is None


def test_a_vote_whose_text_stands_with_an_earlier_step_leads_there() -> None:
    row = solution(0, [[0.9, None], [0.2, None], [0.2, None]])
    for step in row["steps"][1:]:  # as a review of a whole solution is stored
        step["votes"][0] |= {"text": "", "analysis": "", "runs": []}
        step["votes"][1] |= {"text": "", "cause": "no answer in time"}
    steps = read_document(json.dumps(row), 0).steps
    assert [[vote.review_at for vote in step.votes] for step in steps] == [
        [None, None],
        [0, None],
        [0, None],
    ]


def test_a_broken_row_says_what_is_wrong_with_it() -> None:
    row = solution(0, [[0.9]])
    del row["steps"][0]["votes"][0]["reward"]
    document = read_document(json.dumps(row), 0)
    assert document.kind == "unreadable"
    assert "steps.0.votes.0.reward" in (document.failed or "")


@pytest.mark.parametrize(
    ("code", "lines", "line", "printed"),
    [
        ("print(1)\nprint(2 == 3)", ["1", "False"], 1, 1),
        ("for x in y:\n    print(x)\nprint(False)", ["1", "2", "False"], 2, 2),
        ("for x in y:\n    print(x)\n    print(x)", ["1", "1"], 0, None),
        ("if a:\n    print(a == b)", ["False"], 0, 1),
        ("print(1)\nprint(2 / 0)", ["1", "Code execute Error: …"], 0, 0),
        ("print('a\\nb')\nprint(1)", ["a", "b", "1"], 1, None),
        ("print(", ["False"], 0, None),
    ],
)
def test_the_line_that_printed(code: str, lines: list[str], line: int, printed: int | None) -> None:
    assert printing_line(code, lines, line) == printed


def test_evidence_agrees_with_the_vote() -> None:
    run = CodeRun(code="print(1 == 1)\nprint(1 == 2)", output="True\nFalse", status="ok")
    found = find_evidence([run], False)
    assert found is not None
    assert (found.output_line, found.code_line) == (1, 1)
    assert find_evidence([run], True) is None
    assert find_evidence([run], None) is None


def test_filters_search_and_order(tmp_path: Path) -> None:
    rows = [solution(0, [[0.9], [0.9, 0.2]]), solution(1, [[0.1]], label=-1)]
    rows[0]["steps"][0]["votes"][0]["analysis"] = 'A "quoted" zebra.'
    index = RunIndex(find_runs([write_run(tmp_path / "run.jsonl", [*rows, {"odd": 1}])])[0])
    index.refresh()

    def found(**query: object) -> list[int]:
        return [row.index for row in index.page(Query.model_validate(query))[1]]

    assert found() == [0, 1, 2]
    assert found(q="zeb") == found(q='"quoted zebra"', within="analysis") == [0]
    assert found(q='" OR 1=1 --') == found(q="(((") == found(q="zebra", within="code") == []
    assert found(wrong=True) == found(verdict="error") == [1]
    assert found(disagree=True) == [0]
    assert found(failed=True) == [2]
    assert found(low=0.0, high=0.2) == [1]
    assert found(sort="lowest") == [1, 0, 2]


def test_an_index_follows_its_run(tmp_path: Path) -> None:
    file = write_run(tmp_path / "run.jsonl", [solution(0, [[0.9]])])
    index = RunIndex(find_runs([file])[0])
    index.refresh()
    with file.open("a") as run:
        run.write(json.dumps(solution(1, [[0.9]])) + "\n" + '{"torn')
    index.refresh()
    assert index.facts().rows == 2


def test_corrections_become_rows(tmp_path: Path) -> None:
    rows = [solution(0, [[0.9], [0.9, 0.2], [0.1]]), solution(1, [[None], [0.1]])]
    write_run(tmp_path / "run.jsonl", rows)
    library = library_of(tmp_path)
    library.correct(0, {"index": 0, "step": 1, "label": False, "reason": "3 is not 2."})
    state = library.correct(0, {"index": 1, "step": 1, "label": True, "reason": ""})
    assert (state.chats, state.labelled) == (1, 1)
    assert "first error" in state.left_out[0]
    exported = library.export(0)
    (chat,) = exported.chats
    assert chat.mode == "genprm"
    assert chat.labels == (True, False)
    for message, pieces in zip(chat.messages, chat.pieces, strict=True):
        assert len(message.content) == sum(piece.characters for piece in pieces)
    labelled = tmp_path / "labelled.jsonl"
    labelled.write_bytes(b"".join(row.line() for row in exported.labelled))
    (read,) = read_files([labelled])
    assert (read.first_error, read.solution.steps) == (
        1,
        tuple(s["text"] for s in rows[0]["steps"]),
    )
    taken_back = library.correct(0, {"index": 0, "step": 1, "label": None})
    assert [c.index for c in taken_back.corrections] == [1]
    with pytest.raises(InputError, match="no such step"):
        library.correct(0, {"index": 0, "step": 9, "label": True})


def test_a_reason_stands_in_for_a_missing_vote(tmp_path: Path) -> None:
    write_run(tmp_path / "run.jsonl", [solution(0, [[0.9], [0.9]])])
    library = library_of(tmp_path)
    library.correct(0, {"index": 0, "step": 1, "label": False, "reason": "2 + 3 is 5."})
    (chat,) = library.export(0).chats
    assert chat.mode == "cot"
    assert "2 + 3 is 5." in chat.messages[-1].content
    assert "[Code Output]" not in chat.messages[-1].content


def test_foreign_pages_may_not_ask(tmp_path: Path) -> None:
    write_run(tmp_path / "run.jsonl", [solution(0, [[0.9]])])
    client = TestClient(viewer_app(library_of(tmp_path)), base_url="http://127.0.0.1:1")
    answer = client.get("/api/runs")
    assert answer.json()["runs"][0]["rows"] == 1
    assert "script-src 'self'" in answer.headers["content-security-policy"]
    assert client.get("/api/runs", headers={"host": "evil.example"}).status_code == 403
    assert client.get("/api/runs", headers={"origin": "http://evil.example"}).status_code == 403
    assert client.post("/api/split", content=b"{}").status_code == 403
    assert client.post("/api/split", json={"solution": "a\n\nb"}).json() == {"steps": ["a", "b"]}
    assert client.get("/api/runs/0/entries?sort=evil").status_code == 400
    assert client.get("/api/runs/0/entries/7").status_code == 404
    assert client.get("/../../etc/passwd").status_code == 404
    assert "genprm view --live" in client.post("/api/live", json={}).json()["error"]["fix"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    write_run(tmp_path / "runs/run.jsonl", [solution(0, [[0.9]])])
    (tmp_path / "runs").chmod(0o500)
    assert library_of(tmp_path / "runs").refresh()[0].rows == 1
