"""What hostile, slow and malformed clients get, over a real socket."""

import json
import socket
from collections.abc import Iterator
from contextlib import suppress
from hashlib import sha256
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from marked_steps import analyst, judge
from serving import Stuck, running, serving, wait_until
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from genprm.errors import InputError
from genprm.server.app import ServiceLimits, create_service
from genprm.server.security import Security, is_loopback, read_keys, security_of
from genprm.verify.format import Mode
from genprm.verify.settings import Settings
from genprm.verify.verifier import Verifier

PAIR: dict[str, Any] = {"problem": "1 + 1?", "steps": ["1 + 1 = 2."]}
TIGHT = ServiceLimits(head_seconds=0.5, body_seconds=0.5, body_bytes=1 << 20, connections=50)
KEY = "a-long-secret-key"
KEYS = Security(keys=tuple(sha256(key.encode()).digest() for key in ("another-key", KEY)))


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    with serving(analyst(), TIGHT) as opened:
        yield opened


def connect(client: httpx.Client) -> socket.socket:
    parts = urlsplit(str(client.base_url))
    return socket.create_connection((parts.hostname, parts.port), timeout=10)


def raw(client: httpx.Client, request: bytes) -> tuple[int, dict[str, Any]]:
    with connect(client) as connection:
        connection.sendall(request)
        head, _, body = read_all(connection).partition(b"\r\n\r\n")
    return int(head.split()[1]), json.loads(body)["error"]


def read_all(connection: socket.socket) -> bytes:
    """Until the reply's declared end."""
    data = b""
    while part := connection.recv(65536):
        data += part
        head, end, body = data.partition(b"\r\n\r\n")
        lengths = [
            line.split(b":")[1] for line in head.lower().split(b"\r\n") if b"content-length" in line
        ]
        if end and lengths and len(body) >= int(lengths[0]):
            break
    return data


@pytest.mark.parametrize(
    ("headers", "status", "field"),
    [
        ({"host": "evil.example"}, 421, "Host"),
        ({"host": ""}, 421, "Host"),
        ({"host": "[::1"}, 421, "Host"),
        ({"origin": "http://evil.example"}, 403, "Origin"),
        ({"origin": "null"}, 403, "Origin"),
        ({"sec-fetch-site": "cross-site"}, 403, "Origin"),
        ({"content-type": "text/plain"}, 415, "Content-Type"),
        ({"content-type": "application/x-www-form-urlencoded"}, 415, "Content-Type"),
    ],
)
def test_a_web_page_cannot_post_to_a_local_service(
    client: httpx.Client, headers: dict[str, str], status: int, field: str
) -> None:
    body = json.dumps(PAIR).encode()
    given = {"content-type": "application/json", **headers}
    reply = client.post("/v1/verify", content=body, headers=given)
    assert (reply.status_code, reply.json()["error"]["field"]) == (status, field)


def test_its_own_page_may_post(client: httpx.Client) -> None:
    own = str(client.base_url).rstrip("/")
    assert client.post("/v1/verify", json=PAIR, headers={"origin": own}).status_code == 200


def test_keys_are_asked_for() -> None:
    with serving(analyst(), security=KEYS) as client:
        for headers in ({}, {"authorization": "Bearer no"}, {"authorization": KEY}):
            reply = client.post("/v1/verify", json=PAIR, headers=headers)
            assert reply.status_code == 401
            assert reply.json()["error"]["field"] == "Authorization"
        bearer = {"authorization": f"Bearer {KEY}"}
        assert client.post("/v1/verify", json=PAIR, headers=bearer).status_code == 200
        assert client.post("/v1/verify", json=PAIR, auth=("any", KEY)).status_code == 200
        assert client.get("/metrics").status_code == 401
        assert client.get("/health").status_code == 200
        assert client.get("/ready").status_code == 200


def test_an_address_that_others_reach_needs_a_key() -> None:
    with pytest.raises(InputError, match="no API key is set; fix: pass --keys"):
        security_of("0.0.0.0", ())
    assert security_of("0.0.0.0", KEYS.keys).hosts is None
    assert is_loopback("127.1.2.3")
    assert not is_loopback("192.168.0.4")


def test_keys_come_from_a_file_and_the_environment(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "keys"
    file.write_text(f"# ours\n{KEY}\n\n")
    monkeypatch.setenv("GENPRM_API_KEYS", "another-key third-key")
    assert set(KEYS.keys) < set(read_keys(file))
    file.write_text("short")
    with pytest.raises(InputError, match="shorter than 8") as error:
        read_keys(file)
    assert "short " not in str(error.value)


def test_a_large_body_is_refused_before_it_is_read(client: httpx.Client) -> None:
    head = b"POST /v1/verify HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
    status, error = raw(client, head + b"content-length: 600000000\r\n\r\n")
    assert (status, error["field"]) == (413, "body")
    chunks = (
        b"transfer-encoding: chunked\r\n\r\n" + b"100000\r\n" + b" " * (1 << 20) + b"\r\n1\r\n "
    )
    status, error = raw(client, head + chunks)
    assert (status, error["field"]) == (413, "body")


def test_a_body_that_does_not_come_is_refused(client: httpx.Client) -> None:
    head = b"POST /v1/verify HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100\r\n\r\n{"
    assert raw(client, head)[0] == 408


def test_slow_connections_are_closed(client: httpx.Client) -> None:
    start = monotonic()
    connections = [connect(client) for _ in range(40)]
    for number, connection in enumerate(connections):
        connection.sendall((b"", b"GET /health HT", b"GET /health HTTP/1.1\r\nhost: a")[number % 3])
    for connection in connections:
        with connection, suppress(ConnectionResetError):
            assert connection.recv(1) == b""
    assert monotonic() - start < 8
    assert client.get("/health").status_code == 200


def test_a_second_request_that_does_not_come_whole_is_closed_too(client: httpx.Client) -> None:
    with connect(client) as connection:
        connection.sendall(b"GET /health HTTP/1.1\r\nhost: localhost\r\n\r\nGET /hea")
        assert b"200 OK" in read_all(connection)
        with suppress(ConnectionResetError):
            assert connection.recv(1) == b""


def test_too_many_connections_are_refused(client: httpx.Client) -> None:
    held = [connect(client) for _ in range(60)]
    try:
        replies = [read_all(connection) for connection in held[-5:]]
        assert all(b"503" in reply and b'"error"' in reply for reply in replies)
    finally:
        for connection in held:
            connection.close()


@pytest.mark.parametrize(
    ("request_line", "status"),
    [
        (b"GET /v1/nothing HTTP/1.1", 404),
        (b"GET /docs HTTP/1.1", 404),
        (b"GET /v1/verify HTTP/1.1", 405),
        (b"PUT /health HTTP/1.1", 405),
        (b"BREW", 400),
    ],
)
def test_every_error_has_the_one_shape(
    client: httpx.Client, request_line: bytes, status: int
) -> None:
    found, error = raw(client, request_line + b"\r\nhost: localhost\r\n\r\n")
    assert found == status
    assert set(error) == {"message", "field", "fix"}


def test_a_page_on_all_other_paths_hides_no_method_that_is_not_allowed() -> None:
    async def page(scope: Scope, receive: Receive, send: Send) -> None:
        await PlainTextResponse("the page")(scope, receive, send)

    verifier = Verifier(analyst(), None, Settings(mode=Mode.COT))  # type: ignore[arg-type]
    service = create_service(verifier, page=lambda _: page)
    with running(service) as url:
        refused = httpx.get(f"{url}/v1/verify")
        assert (refused.status_code, set(refused.json())) == (405, {"error"})
        assert httpx.get(f"{url}/other").text == "the page"


@pytest.mark.parametrize(
    "said", [{"votes": "4"}, {"votes": True}, {"stream": "yes"}, {"temperature": "0.5"}]
)
def test_a_text_is_no_number_and_no_truth_value(
    client: httpx.Client, said: dict[str, object]
) -> None:
    reply = client.post("/v1/verify", json={"problem": "?", "steps": ["a"], **said})
    assert reply.status_code == 422
    assert reply.json()["error"]["field"] == next(iter(said))


def test_the_document_names_the_limits(client: httpx.Client) -> None:
    schemas = client.get("/openapi.json").json()["components"]["schemas"]
    votes, _ = schemas["RankRequest"]["properties"]["votes"]["anyOf"]
    assert (votes["minimum"], votes["maximum"]) == (1, 256)


def test_the_document_lists_the_refusals_and_examples(client: httpx.Client) -> None:
    document = client.get("/openapi.json").json()
    verify = document["paths"]["/v1/verify"]["post"]
    assert {"200", "400", "401", "413", "422", "429", "503"} <= set(verify["responses"])
    assert document["components"]["schemas"]["VerifyRequest"]["examples"]
    assert "HTTPValidationError" not in document["components"]["schemas"]


def test_requests_and_votes_are_counted(client: httpx.Client) -> None:
    reply = client.post("/v1/verify", json=PAIR, headers={"x-request-id": "mine"})
    assert reply.headers["x-request-id"] == "mine"
    text = client.get("/metrics").text
    assert 'genprm_requests_total{route="/v1/verify",status="200"}' in text
    assert "genprm_votes_total" in text
    assert "genprm_solution_seconds_bucket" in text


def test_a_service_that_ends_takes_no_new_work_and_cancels_the_rest_in_time() -> None:
    model = Stuck(lambda prompt, seed: "", judge)
    limits = ServiceLimits(drain_seconds=0.5)
    service = create_service(Verifier(model, None), limits)  # type: ignore[arg-type]
    with running(service, limits) as url, httpx.Client(base_url=url) as client:
        with client.stream("POST", "/v1/verify", json={**PAIR, "stream": True}) as reply:
            wait_until(lambda: model.running == 1)
            assert model.loop is not None
            model.loop.call_soon_threadsafe(service.judging.drain)
            wait_until(lambda: client.get("/ready").status_code == 503)
            refused = client.post("/v1/verify", json=PAIR)
            assert refused.status_code == 503
            assert refused.json()["error"]["message"] == "the service is shutting down"
            events = [json.loads(line) for line in reply.iter_lines()]
        assert [event["event"] for event in events] == ["error"]
        assert model.cancelled == 1
