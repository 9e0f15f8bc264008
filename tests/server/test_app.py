"""The judging routes over a real socket: verdicts, streams, refusals, clients that go away."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from marked_steps import analyst, judge
from scripted import Scripted
from serving import Stuck, serving, wait_until
from shared_data import shared

from genprm.errors import ModelError, RequestFailed
from genprm.records.verdicts import VerdictRow
from genprm.server.app import ServiceLimits

PAIR: dict[str, Any] = {"problem": "1 + 1?", "steps": ["1 + 1 = 2.", "So wrong."]}


class Lost(Scripted):
    async def complete(self, *args: Any, **options: Any) -> Any:
        raise ModelError("the engine\nis gone")


class Picky(Scripted):
    async def complete(self, prompt: str, **options: Any) -> Any:
        if "forbidden" in prompt:
            raise RequestFailed("the server refused it")
        return await super().complete(prompt, **options)


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    with serving(analyst()) as opened:
        yield opened


def post(client: httpx.Client, path: str = "/v1/verify", **body: Any) -> Any:
    return client.post(path, json=body).json()


def test_one_solution_is_judged(client: httpx.Client) -> None:
    reply = post(client, **PAIR, id="a")
    (row,) = reply["verdicts"]
    assert (row["id"], row["first_error"]) == ("a", 1)
    assert reply["rewards"] == [step["reward"] for step in row["steps"]]
    assert reply["rewards"] == pytest.approx([0.9, 0.1])
    assert row["steps"][0]["votes"][0]["analysis"] == "Fine."
    VerdictRow.model_validate(row)


def test_the_short_form_is_scores_alone(client: httpx.Client) -> None:
    reply = post(client, **PAIR, detail="scores")
    assert reply["rewards"] == pytest.approx([0.9, 0.1])
    assert reply["first_error"] == 1
    assert reply["verdicts"][0]["labels"] == [True, False]
    assert "steps" not in reply["verdicts"][0]


def test_analyses_stand_beside_the_scores(client: httpx.Client) -> None:
    (row,) = post(client, **PAIR, detail="analyses")["verdicts"]
    assert [step["analysis"] for step in row["steps"]] == ["Fine.", "Fine."]
    assert "votes" not in row["steps"][0]


def test_many_solutions_come_in_the_order_asked(client: httpx.Client) -> None:
    texts = ["1\n\nfine", "wrong\n\nfine", "a\n\nb\n\nwrong"]
    asked = [{"problem": "?", "solution": text} for text in texts]
    rows = post(client, solutions=asked, votes=3)["verdicts"]
    assert [row["first_error"] for row in rows] == [-1, 0, 2]
    assert all(step["asked"] == 3 for row in rows for step in row["steps"])


@pytest.mark.parametrize(
    "bad",
    [
        {"problem": "?", "steps": ["a\0"]},
        {"problem": "?", "steps": [""]},
        {"problem": "?", "steps": 5},
        {"problem": "?", "steps": ["a"] * 1001},
        {"problem": "?", "solution": "a\n\n" * 1001},
        {"problem": "?", "steps": ["a"], "id": "\ud800"},
        {"problem": "?", "steps": ["\ud800"]},
        "a text",
        None,
    ],
)
def test_an_unusable_solution_fails_alone(client: httpx.Client, bad: Any) -> None:
    body = json.dumps({"solutions": [PAIR, bad, PAIR]})
    headers = {"content-type": "application/json"}
    rows = client.post("/v1/verify", content=body, headers=headers).json()["verdicts"]
    assert [row["first_error"] for row in rows] == [1, None, 1]
    assert rows[1]["failed"]
    assert "failed" not in rows[0]


def test_a_solution_that_the_engine_refuses_fails_alone() -> None:
    with serving(analyst(Picky)) as client:
        bad = {"problem": "forbidden", "steps": ["a"]}
        rows = post(client, solutions=[PAIR, bad])["verdicts"]
        assert [row["first_error"] for row in rows] == [1, None]
        assert "the server refused it" in rows[1]["failed"]


def test_steps_stream_as_lines_of_json(client: httpx.Client) -> None:
    with client.stream("POST", "/v1/verify", json={**PAIR, "stream": True}) as reply:
        assert reply.headers["content-type"].startswith("application/x-ndjson")
        events = [json.loads(line) for line in reply.iter_lines()]
    assert [event["event"] for event in events] == ["step", "step", "verdict", "done"]
    assert events[1]["label"] is False
    assert events[2]["first_error"] == 1


def test_steps_stream_as_server_sent_events(client: httpx.Client) -> None:
    headers = {"accept": "text/event-stream"}
    body = {**PAIR, "stream": True, "detail": "scores"}
    blocks = client.post("/v1/verify", json=body, headers=headers).text.strip().split("\n\n")
    names = [block.splitlines()[0].removeprefix("event: ") for block in blocks]
    assert names == ["step", "step", "verdict", "done"]
    assert json.loads(blocks[1].splitlines()[1].removeprefix("data: "))["step"] == 1


def test_candidates_are_ranked(client: httpx.Client) -> None:
    candidates = ["wrong", ["fine", "fine"], "unreadable"]
    reply = post(client, "/v1/rank", problem="?", candidates=candidates)
    assert reply["order"] == [1, 0, 2]
    assert reply["choice"] == 1
    assert reply["scores"] == [pytest.approx(0.1), pytest.approx(0.9), None]


def test_the_first_wrong_step_is_criticised(client: httpx.Client) -> None:
    reply = post(client, "/v1/critique", **PAIR)
    assert (reply["first_error"], reply["step"]) == (1, "So wrong.")
    assert reply["critique"] == "Fine."
    fine = post(client, "/v1/critique", problem="?", solution="fine")
    assert (fine["first_error"], fine["critique"]) == (-1, None)


def test_people_read_an_analysis_without_the_tags_of_the_wire_format() -> None:
    said = "It is wrong.\n</verify>\n<output>\n**Judgement**: $\\boxed{No}$\n</analyze>\n"
    model = Scripted(lambda prompt, seed: said, judge)
    with serving(model) as client:
        assert post(client, "/v1/critique", **PAIR)["critique"] == "It is wrong."
        (row,) = post(client, **PAIR, detail="analyses")["verdicts"]
        assert row["steps"][1]["analysis"] == "It is wrong."


@pytest.mark.parametrize(
    ("body", "field", "said"),
    [
        ({"problem": "?"}, "body", "give either steps or solution"),
        ({"problem": " ", "steps": ["a"]}, "problem", "is empty"),
        ({"problem": "?", "steps": [""]}, "steps.0", "is empty"),
        ({"solutions": []}, "solutions", "List should have at least 1 item"),
        ({**PAIR, "solutions": [PAIR]}, "body", "give either solutions or"),
        ({**PAIR, "votes": 0}, "votes", "Input should be greater than or equal to 1"),
        ({**PAIR, "votes": 10**9}, "votes", "1,000,000,000 is too much"),
        ({"problem": "?", "steps": ["a"] * 900, "votes": 250}, "votes", "900 steps with 250"),
        ({**PAIR, "max_tokens": 10**6}, "max_tokens", "1,000,000 is too much"),
        ({**PAIR, "seconds": 1e6}, "seconds", "1,000,000.0 is too much"),
        ({**PAIR, "vote": 2}, "vote", "Extra inputs are not permitted"),
        ({**PAIR, "mode": "magic"}, "mode", "Input should be 'genprm'"),
        ({"problem": "?", "steps": ["a"] * 1001}, "steps", "1,001 steps"),
        ({"problem": "?", "solution": "a\n" * 1001}, "solution", "1,001 steps"),
        ({"solutions": [PAIR] * 4097}, "solutions", "4,097 solutions"),
        ([1], "body", "Input should be"),
    ],
)
def test_a_bad_request_names_the_field_and_what_to_do(
    client: httpx.Client, body: Any, field: str, said: str
) -> None:
    reply = client.post("/v1/verify", json=body)
    error = reply.json()["error"]
    assert reply.status_code == 422, error
    assert error["field"] == field
    assert error["message"].startswith(said)
    assert error["fix"]


@pytest.mark.parametrize("name", ["steps_bypass.json", "surrogate_id.json"])
def test_inputs_that_once_got_too_far_are_refused(client: httpx.Client, name: str) -> None:
    file = shared(f"attack_cases/{name}")
    headers = {"content-type": "application/json"}
    reply = client.post("/v1/verify", content=file.read_bytes(), headers=headers)
    assert reply.status_code == 422
    assert reply.json()["error"]["field"] in ("solution", "id")


@pytest.mark.parametrize("content", [b'{"a', b"[" * 100_000, b"\xff", b'{"votes": ' + b"9" * 9999])
def test_a_broken_body_is_refused(client: httpx.Client, content: bytes) -> None:
    headers = {"content-type": "application/json"}
    reply = client.post("/v1/verify", content=content, headers=headers)
    assert reply.status_code == 400
    assert "JSON" in reply.json()["error"]["message"]


def test_an_engine_that_is_gone_is_unavailable_for_now() -> None:
    with serving(analyst(Lost)) as client:
        reply = client.post("/v1/verify", json=PAIR)
        assert reply.status_code == 503
        assert reply.headers["retry-after"]
        assert reply.json()["error"]["message"] == "the engine is gone"
        assert client.get("/ready").status_code == 503
        assert client.get("/health").status_code == 200
        stream = client.post("/v1/verify", json={**PAIR, "stream": True})
        events = [json.loads(line) for line in stream.text.splitlines()]
        assert [event["event"] for event in events] == ["verdict", "done"]
        assert events[0]["failed"] == "the engine is gone"


@pytest.mark.parametrize("stream", [False, True])
def test_a_client_that_goes_away_has_its_work_cancelled(stream: bool) -> None:
    model = Stuck(lambda prompt, seed: "", judge)
    with serving(model) as client:
        with pytest.raises(httpx.ReadTimeout):
            client.post("/v1/verify", json={**PAIR, "votes": 2, "stream": stream}, timeout=0.3)
        wait_until(lambda: model.cancelled == 2)
        wait_until(lambda: client.get("/health").json()["judging"] == 0)
        assert client.get("/health").json()["waiting"] == 0


def test_a_full_queue_refuses_at_once_and_says_when_to_come_again() -> None:
    model = Stuck(lambda prompt, seed: "", judge)
    with serving(model, ServiceLimits(concurrency=1, waiting=1)) as client:
        never = client.post("/v1/verify", json={"solutions": [PAIR] * 3})
        assert never.status_code == 413
        with client.stream("POST", "/v1/verify", json={**PAIR, "stream": True}):
            wait_until(lambda: client.get("/health").json()["judging"] == 1)
            busy = client.post("/v1/verify", json={"solutions": [PAIR] * 2})
        assert busy.status_code == 429
        assert int(busy.headers["retry-after"]) >= 1
        assert busy.json()["error"]["fix"] == "send 2 later, or fewer"


def test_what_is_not_judged_in_time_fails() -> None:
    model = Stuck(lambda prompt, seed: "", judge)
    with serving(model) as client:
        reply = client.post("/v1/verify", json={**PAIR, "seconds": 0.2})
        assert reply.status_code == 504
        assert model.cancelled == 1
