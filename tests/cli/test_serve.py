"""`genprm serve` as a user runs it: the shipped model behind a socket."""

import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from terminal import hear_ctrl_c

pytest.importorskip("uvicorn")
GENPRM = [sys.executable, "-m", "genprm"]


ASKED = {"problem": "(2 + 3) =", "steps": ["(2 + 3) = 6. So the answer is 6"]}


@pytest.fixture
def service() -> Iterator[tuple[str, "subprocess.Popen[str]"]]:
    process = subprocess.Popen(
        [*GENPRM, "serve", "--port", "0", "--votes", "2", "--drain", "5"],
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=hear_ctrl_c,
    )
    assert process.stderr is not None
    try:
        line = process.stderr.readline()
        address = re.search(r"http://\S+", line)
        assert address, line
        yield address[0], process
    finally:
        process.kill()
        process.wait()


def client_of(url: str) -> httpx.Client:
    return httpx.Client(base_url=url, transport=httpx.HTTPTransport(retries=5), timeout=60)


def test_the_shipped_model_serves_logs_and_stops_on_ctrl_c(
    service: tuple[str, "subprocess.Popen[str]"],
) -> None:
    url, process = service
    with client_of(url) as client:
        assert client.get("/health").json()["model"] == "arithmetic"
        reply = client.post("/v1/verify", json=ASKED, headers={"x-request-id": "mine"})
    assert reply.json()["verdicts"][0]["first_error"] == 0
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=30) == 0
    assert process.stderr is not None
    lines = [json.loads(line) for line in process.stderr.read().splitlines()]
    assert [line["status"] for line in lines if line["request_id"] == "mine"] == [200]


def test_sigterm_lets_a_stream_finish_and_exits_with_0(
    service: tuple[str, "subprocess.Popen[str]"],
) -> None:
    url, process = service
    body = {"solutions": [ASKED] * 8, "stream": True, "detail": "scores"}
    with client_of(url) as client, client.stream("POST", "/v1/verify", json=body) as reply:
        lines = reply.iter_lines()
        next(lines)
        process.send_signal(signal.SIGTERM)
        events = [json.loads(line)["event"] for line in lines]
    assert events[-1] in ("done", "error")
    assert process.wait(timeout=30) == 0


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--host", "0.0.0.0"], "no API key is set; fix: pass --keys FILE"),
        (["--keys", "/nowhere"], "/nowhere: the keys cannot be read"),
    ],
)
def test_an_open_door_is_refused_with_one_line(options: list[str], said: str) -> None:
    done = subprocess.run(
        [*GENPRM, "serve", "--port", "0", *options],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 2
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_taken_port_is_one_clear_line(service: tuple[str, "subprocess.Popen[str]"]) -> None:
    port = service[0].rsplit(":", 1)[1]
    done = subprocess.run(
        [*GENPRM, "serve", "--port", port], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 2
    assert done.stderr.startswith(f"genprm: 127.0.0.1:{port}: Address already in use")
    assert len(done.stderr.splitlines()) == 1


def test_verify_through_the_service_gives_the_rows_of_the_process(
    service: tuple[str, "subprocess.Popen[str]"], tmp_path: Path
) -> None:
    source = tmp_path / "solutions.jsonl"
    source.write_text(json.dumps({**ASKED, "id": "a", "mine": 1}) + "\n")
    rows = [
        json.loads(
            subprocess.run(
                [*GENPRM, "verify", str(source), "--json", "-m", model],
                capture_output=True,
                text=True,
                check=True,
                timeout=120,
            ).stdout
        )
        for model in (f"service:{service[0]}", "default")
    ]
    remote, local = (without_seconds(row) for row in rows)
    assert remote == local


def without_seconds(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: without_seconds(item) for name, item in value.items() if name != "seconds"}
    return [without_seconds(item) for item in value] if isinstance(value, list) else value
