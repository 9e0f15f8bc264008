"""The HTTP service over a real socket: verdicts, streams, refusals, clients that go away."""

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import log
from time import monotonic
from typing import Any

import httpx
import pytest

pytest.importorskip("fastapi")
import uvicorn
from scripted import Scripted

from genprm.errors import ModelError
from genprm.server.app import Limits, create_app
from genprm.verify.format import Mode
from genprm.verify.settings import Settings
from genprm.verify.verifier import Verifier

PAIR = {"problem": "1 + 1?", "steps": ["1 + 1 = 2.", "So wrong."]}


def judge(prompt: str) -> dict[str, float]:
    step = prompt.rsplit("<user>", 1)[1].split("<analyze>", maxsplit=1)[0]
    reward = 0.1 if "wrong" in step else 0.9
    return {"Yes": log(reward), "No": log(1 - reward)}


def analyst() -> Scripted:
    return Scripted(lambda prompt, seed: "Fine.\n</analyze>\n", judge)


class Stuck(Scripted):
    """Never answers, and remembers being told to stop."""

    async def complete(self, *args: Any, **options: Any) -> Any:
        self.running += 1
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise


class Lost(Scripted):
    async def complete(self, *args: Any, **options: Any) -> Any:
        raise ModelError("the engine\nis gone")


@contextmanager
def serving(model: Scripted, limits: Limits = Limits()) -> Iterator[httpx.Client]:
    verifier = Verifier(model, None, Settings(mode=Mode.COT))  # type: ignore[arg-type]
    config = uvicorn.Config(create_app(verifier, limits), port=0, log_level="error", lifespan="off")
    server = uvicorn.Server(config)
    socket = config.bind_socket()
    thread = threading.Thread(target=server.run, args=([socket],))
    thread.start()
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{socket.getsockname()[1]}") as client:
            wait_until(lambda: server.started)
            yield client
    finally:
        server.should_exit = True
        thread.join(timeout=10)
        socket.close()


def wait_until(true: Callable[[], bool]) -> None:
    end = monotonic() + 10
    while not true():
        assert monotonic() < end, "waited for ten seconds"
        threading.Event().wait(0.01)


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    with serving(analyst()) as opened:
        yield opened


def test_one_solution_is_judged(client: httpx.Client) -> None:
    (row,) = client.post("/v1/verify", json={**PAIR, "id": "a"}).json()["verdicts"]
    assert (row["id"], row["first_error"]) == ("a", 1)
    assert [step["reward"] for step in row["steps"]] == pytest.approx([0.9, 0.1])
    assert row["steps"][0]["votes"][0]["analysis"] == "Fine."


def test_many_solutions_come_in_the_order_asked(client: httpx.Client) -> None:
    texts = ["1\n\nfine", "wrong\n\nfine", "a\n\nb\n\nwrong"]
    body = {"solutions": [{"problem": "?", "solution": text} for text in texts], "votes": 3}
    rows = client.post("/v1/verify", json=body).json()["verdicts"]
    assert [row["first_error"] for row in rows] == [-1, 0, 2]
    assert all(step["asked"] == 3 for row in rows for step in row["steps"])


def test_steps_stream_as_lines_of_json(client: httpx.Client) -> None:
    with client.stream("POST", "/v1/verify", json={**PAIR, "stream": True}) as reply:
        assert reply.headers["content-type"].startswith("application/x-ndjson")
        events = [json.loads(line) for line in reply.iter_lines()]
    assert [event["event"] for event in events] == ["step", "step", "verdict", "done"]
    assert events[1]["label"] is False
    assert events[2]["first_error"] == 1


def test_steps_stream_as_server_sent_events(client: httpx.Client) -> None:
    headers = {"accept": "text/event-stream"}
    reply = client.post("/v1/verify", json={**PAIR, "stream": True}, headers=headers)
    blocks = reply.text.strip().split("\n\n")
    assert [block.splitlines()[0] for block in blocks] == [
        "event: step",
        "event: step",
        "event: verdict",
        "event: done",
    ]
    assert json.loads(blocks[0].splitlines()[1].removeprefix("data: "))["row"] == 0


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"problem": "?"}, "field solutions.0: give either steps or solution"),
        ({"problem": " ", "steps": ["a"]}, "field solutions.0.problem: is empty"),
        ({"problem": "?", "steps": [""]}, "field solutions.0.steps.0: is empty"),
        ({"solutions": []}, "field solutions: List should have at least 1 item"),
        ({**PAIR, "votes": 0}, "field votes: Input should be greater than or equal to 1"),
        ({**PAIR, "vote": 2}, "field vote: Extra inputs are not permitted"),
        ({**PAIR, "mode": "magic"}, "field mode: Input should be 'genprm'"),
        ([1], "field body: Input should be"),
    ],
)
def test_a_bad_request_is_one_clear_line(client: httpx.Client, body: Any, said: str) -> None:
    reply = client.post("/v1/verify", json=body)
    assert reply.status_code == 400
    assert reply.json()["error"].startswith(said)


def test_broken_json_is_one_clear_line(client: httpx.Client) -> None:
    reply = client.post("/v1/verify", content=b'{"a', headers={"content-type": "application/json"})
    assert reply.status_code == 400
    assert reply.json()["error"].startswith("the body is not JSON")


def test_health_names_the_model(client: httpx.Client) -> None:
    health = client.get("/healthz").json()
    assert (health["status"], health["model"], health["waiting"]) == ("ok", "scripted", 0)


def test_an_engine_that_fails_is_a_bad_gateway() -> None:
    with serving(Lost(lambda prompt, seed: "", judge)) as client:
        reply = client.post("/v1/verify", json=PAIR)
        assert (reply.status_code, reply.json()) == (502, {"error": "the engine is gone"})
        stream = client.post("/v1/verify", json={**PAIR, "stream": True})
        assert json.loads(stream.text)["error"] == "the engine is gone"


@pytest.mark.parametrize("stream", [False, True])
def test_a_client_that_goes_away_has_its_work_cancelled(stream: bool) -> None:
    model = Stuck(lambda prompt, seed: "", judge)
    with serving(model) as client:
        with pytest.raises(httpx.ReadTimeout):
            client.post("/v1/verify", json={**PAIR, "votes": 2, "stream": stream}, timeout=0.3)
        wait_until(lambda: model.cancelled == 2)
        wait_until(lambda: client.get("/healthz").json()["judging"] == 0)
        assert client.get("/healthz").json()["waiting"] == 0


def test_a_full_queue_refuses_at_once() -> None:
    model = Stuck(lambda prompt, seed: "", judge)
    with serving(model, Limits(concurrency=1, waiting=1)) as client:
        with pytest.raises(httpx.ReadTimeout):
            client.post("/v1/verify", json={"solutions": [PAIR] * 2}, timeout=0.3)
        too_many = client.post("/v1/verify", json={"solutions": [PAIR] * 3})
        assert too_many.status_code == 503
        assert too_many.headers["retry-after"] == "1"
        assert "fix: send 3 later" in too_many.json()["error"]
