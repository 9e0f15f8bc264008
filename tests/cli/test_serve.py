"""`genprm serve` as a user runs it: the shipped model behind a socket."""

import re
import signal
import subprocess
import sys
from collections.abc import Iterator

import httpx
import pytest
from terminal import hear_ctrl_c

pytest.importorskip("uvicorn")
GENPRM = [sys.executable, "-m", "genprm"]


@pytest.fixture
def service() -> Iterator[tuple[str, "subprocess.Popen[str]"]]:
    process = subprocess.Popen(
        [*GENPRM, "serve", "--port", "0", "--votes", "2"],
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


def test_the_shipped_model_serves_and_stops_on_ctrl_c(
    service: tuple[str, "subprocess.Popen[str]"],
) -> None:
    url, process = service
    asked = {"problem": "(2 + 3) =", "steps": ["(2 + 3) = 6. So the answer is 6"]}
    transport = httpx.HTTPTransport(retries=5)
    with httpx.Client(base_url=url, transport=transport, timeout=60) as client:
        assert client.get("/healthz").json()["model"] == "arithmetic"
        (row,) = client.post("/v1/verify", json=asked).json()["verdicts"]
    assert row["steps"][0]["asked"] == 2
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=30) in (0, 130)


def test_a_taken_port_is_one_clear_line(service: tuple[str, "subprocess.Popen[str]"]) -> None:
    port = service[0].rsplit(":", 1)[1]
    done = subprocess.run(
        [*GENPRM, "serve", "--port", port], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 2
    assert done.stderr.startswith(f"genprm: 127.0.0.1:{port}: Address already in use")
    assert len(done.stderr.splitlines()) == 1
