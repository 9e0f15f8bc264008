"""Against servers that misbehave, and in the dialects that CI has no real server of."""

import asyncio
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import repeat
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from genprm.cli.main import app
from genprm.errors import ContextExceeded, InputError, ModelError, RequestFailed
from genprm.http import Retry, bearer
from genprm.model import Choice, Completion, Finish, Sampling
from genprm.models.chat_template import ChatTemplate
from genprm.models.load import load_model
from genprm.models.openai_api import OpenAICompatible

FAST = Retry(attempts=4, first=0.001, longest=0.01)
PLAIN = ChatTemplate("{{ messages[0].content }}")


@dataclass
class Reply:
    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    after: float = 0.0  # seconds
    drop: bool = False
    stream: Iterator[str] | None = None
    length: int | None = None  # that a stream announces


Handler = Callable[[str, dict[str, Any]], Reply]
TEXT = Reply(
    body={
        "choices": [{"text": "fine", "finish_reason": "stop", "stop_reason": "</a>"}],
        "usage": {"prompt_tokens": 3, "completion_tokens": 2},
    }
)


@dataclass
class Server:
    url: str
    asked: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    hung_up: threading.Event = field(default_factory=threading.Event)


@contextmanager
def serve(handler: Handler, *, owned_by: str = "vllm", **entry: Any) -> Iterator[Server]:
    """A server on the loopback that answers POSTs with `handler(path, body)`."""
    listing = {"data": [{"id": "GenPRM-7B", "owned_by": owned_by, "max_model_len": 100, **entry}]}

    class Connection(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.answer(Reply(body=listing) if self.path == "/v1/models" else Reply(404))

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            server.asked.append((self.path, body))
            self.answer(handler(self.path, body))

        def answer(self, reply: Reply) -> None:
            time.sleep(reply.after)
            if reply.drop:
                self.close_connection = True
                self.connection.close()
                return
            if reply.stream is not None:
                self.send(reply.stream, reply.length)
                return
            content = json.dumps(reply.body).encode()
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def send(self, pieces: Iterator[str], length: int | None) -> None:
            self.close_connection = True
            self.send_response(200)
            self.send_header("content-type", "text/event-stream")
            if length is not None:
                self.send_header("content-length", str(length))
            self.end_headers()
            try:
                for piece in pieces:
                    self.wfile.write(f"data: {piece}\n\n".encode())
            except OSError:
                server.hung_up.set()

        def log_message(self, *_: object) -> None: ...

    class Listener(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 512

        def handle_error(self, *_: object) -> None: ...

    listener = Listener(("127.0.0.1", 0), Connection)
    server = Server(f"http://127.0.0.1:{listener.server_port}")
    threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.01}).start()
    try:
        yield server
    finally:
        listener.shutdown()
        listener.server_close()


def ask(
    url: str, prompt: str = "p", *, times: int = 1, max_tokens: int = 50, **settings: Any
) -> list[Completion]:
    async def session() -> list[Completion]:
        defaults: dict[str, Any] = {"retry": FAST, "chat_template": PLAIN}
        model = OpenAICompatible(url, **defaults | settings)
        try:
            requests = [
                model.complete(
                    prompt,
                    stop=["</a>", "</b>"],
                    max_tokens=max_tokens,
                    sampling=Sampling(),
                    seed=n,
                )
                for n in range(times)
            ]
            return await asyncio.gather(*requests)
        finally:
            await model.close()

    return asyncio.run(session())


def choose(url: str) -> Choice:
    async def session() -> Choice:
        model = OpenAICompatible(url, retry=FAST, chat_template=PLAIN)
        try:
            return await model.choose("p", ["Yes", "No"])
        finally:
            await model.close()

    return asyncio.run(session())


def script(*replies: Reply) -> Handler:
    waiting = iter(replies)
    return lambda path, body: next(waiting)


def test_a_server_that_recovers_is_asked_again() -> None:
    replies = [
        Reply(429, {"error": {"message": "busy"}}, {"retry-after": "0"}),
        Reply(500, {"detail": "oh"}),
        Reply(drop=True),
        TEXT,
    ]
    with serve(script(*replies)) as server:
        assert ask(server.url) == [Completion("fine", Finish.STOP, "</a>", 3, 2)]
    assert len(server.asked) == 4


def test_a_server_that_does_not_recover_is_named_with_the_cause() -> None:
    with serve(lambda path, body: Reply(503, {"error": "loading"})) as server:
        with pytest.raises(ModelError, match=rf"{server.url}/v1: HTTP 503: loading, 4 times"):
            ask(server.url)
        assert len(server.asked) == 5  # and a harmless prompt, which fails as well


def test_a_slow_server_times_out() -> None:
    with (
        serve(lambda path, body: Reply(after=5)) as server,
        pytest.raises(ModelError, match="no answer in time, 2 times"),
    ):
        ask(server.url, timeout=0.1, retry=Retry(attempts=2, first=0.001))


def test_a_refusal_is_not_repeated() -> None:
    with serve(lambda path, body: Reply(404, {"error": {"message": "no such model"}})) as server:
        with pytest.raises(ModelError, match="HTTP 404: no such model"):
            ask(server.url)
        assert len(server.asked) == 1


@pytest.mark.parametrize("body", [{}, {"choices": []}, "<html>", {"choices": [{"text": 1}]}])
def test_a_reply_of_another_kind_is_an_error(body: object) -> None:
    with (
        serve(lambda path, sent: Reply(body=body)) as server,
        pytest.raises(ModelError, match=r"not the reply|no JSON object"),
    ):
        ask(server.url)


def test_hundreds_of_requests_at_once() -> None:
    def echo(path: str, body: dict[str, Any]) -> Reply:
        choice = {"text": str(body["seed"]), "finish_reason": "length"}
        return Reply(body={"choices": [choice]}, after=0.01)

    with serve(echo) as server:
        texts = [completion.text for completion in ask(server.url, times=300, connections=64)]
    assert texts == [str(n) for n in range(300)]


def test_vllm_gets_neutral_samplers_no_second_bos_and_ids_for_a_choice() -> None:
    def vllm(path: str, body: dict[str, Any]) -> Reply:
        if path == "/tokenize":
            ids = {"Yes": [9454], "No": [2753], "p": [3], "pYes": [3, 9454], "pNo": [3, 2753]}
            return Reply(body={"tokens": ids[body["prompt"]]})
        if "logprob_token_ids" not in body:
            return TEXT
        top = {f"token_id:{n}": -1.0 * n for n in body["logprob_token_ids"]} | {"token_id:7": -0.1}
        choice = {"text": "x", "finish_reason": "length", "logprobs": {"top_logprobs": [top]}}
        usage = {"prompt_tokens": 9, "prompt_tokens_details": {"cached_tokens": 8}}
        return Reply(body={"choices": [choice], "usage": usage})

    with serve(vllm) as server:
        ask(server.url)
        assert choose(server.url) == Choice({"Yes": -9454.0, "No": -2753.0}, 9, 8, ("x",))
    sent = server.asked[0][1]
    assert sent["model"] == "GenPRM-7B"
    assert sent["add_special_tokens"] is False
    assert (sent["top_k"], sent["min_p"], sent["repetition_penalty"]) == (20, 0, 1)
    assert sent["stop"] == ["</a>", "</b>"]
    choice = server.asked[-1][1]
    assert (choice["temperature"], choice["max_tokens"]) == (0, 1)


@pytest.mark.parametrize(
    ("choice", "finish", "stop"),
    [
        ({"finish_reason": "stop", "stop_reason": "</b>"}, Finish.STOP, "</b>"),
        ({"finish_reason": "stop", "stop_reason": None}, Finish.EOS, None),
        ({"finish_reason": "stop", "stop_reason": 151643}, Finish.EOS, None),
        ({"finish_reason": "stop", "matched_stop": "</b>"}, Finish.STOP, "</b>"),
        ({"finish_reason": "length"}, Finish.LENGTH, None),
    ],
)
def test_which_stop_hit_is_read(choice: dict[str, Any], finish: Finish, stop: str | None) -> None:
    with serve(lambda path, body: Reply(body={"choices": [{"text": "t", **choice}]})) as server:
        assert ask(server.url) == [Completion("t", finish, stop)]


def test_what_the_context_cannot_hold() -> None:
    """vLLM refuses a request that could outgrow its context: it is asked for what fits."""

    def vllm(path: str, body: dict[str, Any]) -> Reply:
        if path == "/tokenize":
            return Reply(body={"tokens": [0] * len(body["prompt"])})
        if len(body["prompt"]) + body["max_tokens"] > 100:
            return Reply(400, {"error": {"message": "maximum context length is 100 tokens"}})
        return Reply(body={"choices": [{"text": str(body["max_tokens"]), "finish_reason": "stop"}]})

    with serve(vllm) as server:
        assert ask(server.url, "x" * 70)[0].text == "30"
        with pytest.raises(ContextExceeded, match="maximum context length"):
            ask(server.url, "x" * 120)


def test_a_server_that_does_not_tell_its_stops_is_cut_and_hung_up_on() -> None:
    def endless() -> Iterator[str]:
        yield json.dumps({"choices": [{"text": "It is ", "finish_reason": None}]})
        yield json.dumps({"choices": [{"text": "7.</", "finish_reason": None}]})
        while True:
            yield json.dumps({"choices": [{"text": "b> more", "finish_reason": None}]})

    with serve(lambda path, body: Reply(stream=endless()), owned_by="me") as server:
        assert ask(server.url) == [Completion("It is 7.", Finish.STOP, "</b>", tokens_out=3)]
        assert server.hung_up.wait(30)
    assert "stop" not in server.asked[0][1]


def test_a_stream_that_ends_by_itself() -> None:
    def ending(reason: str) -> Iterator[str]:
        yield json.dumps({"choices": [{"text": "x", "finish_reason": reason}]})
        yield "[DONE]"

    for reason, finish in (("stop", Finish.EOS), ("length", Finish.LENGTH)):
        reply = Reply(stream=ending(reason))
        with serve(script(reply), owned_by="me") as server:
            assert ask(server.url) == [Completion("x", finish, tokens_out=1)]


def test_a_comment_that_a_proxy_made_an_event_is_passed_over() -> None:
    pieces = [": keepalive", piece("x", ""), ": keepalive", piece("y", "eos_token")]
    with serve(lambda path, body: Reply(stream=iter(pieces)), owned_by="me") as server:
        assert ask(server.url) == [Completion("xy", Finish.EOS, tokens_out=2)]


def test_cancelling_hangs_up() -> None:
    streaming = threading.Event()

    def endless() -> Iterator[str]:
        while True:
            yield json.dumps({"choices": [{"text": "more", "finish_reason": None}]})
            streaming.set()

    async def cancel(url: str) -> None:
        model = OpenAICompatible(url, chat_template=PLAIN)
        request = asyncio.create_task(
            model.complete("p", stop=[], max_tokens=10**9, sampling=Sampling())
        )
        await asyncio.to_thread(streaming.wait)
        request.cancel()
        with pytest.raises(asyncio.CancelledError):
            await request

    with serve(lambda path, body: Reply(stream=endless()), owned_by="me") as server:
        asyncio.run(cancel(server.url))
        assert server.hung_up.wait(30)


@pytest.mark.parametrize(("tokens", "sent"), [([1], "Judge"), ([], "<s>Judge")])
def test_sglang_gets_no_bos_where_its_tokenizer_adds_one(tokens: list[int], sent: str) -> None:
    def sglang(path: str, body: dict[str, Any]) -> Reply:
        return Reply(body={"tokens": tokens}) if path == "/tokenize" else TEXT

    template = ChatTemplate("", bos_token="<s>")
    with serve(sglang, owned_by="sglang") as server:
        ask(server.url, "<s>Judge", chat_template=template)
    assert server.asked[-1][1]["prompt"] == sent


def test_building_says_what_is_wrong_with_the_server() -> None:
    with pytest.raises(ModelError, match=r"http://127\.0\.0\.1:9/v1: cannot connect.*fix"):
        load_model("http://127.0.0.1:9/v1")
    with serve(script()) as server:
        with pytest.raises(ModelError, match="does not serve 'other'; its models: GenPRM-7B"):
            load_model(f"openai:{server.url}/v1#other")
        with pytest.raises(ModelError, match=r"/v2: HTTP 404.*its /v1"):
            load_model(f"{server.url}/v2")
    with (
        serve(script(), id="Qwen2.5-7B") as server,
        pytest.raises(InputError, match=r"no chat template .*--chat-template"),
    ):
        load_model(server.url)


def test_what_the_server_tells_is_known() -> None:
    with serve(script()) as server:
        model = load_model(f"{server.url}/v1/")
    assert (model.name, model.context_length) == ("GenPRM-7B", 100)
    assert model.render([{"role": "user", "content": "x"}]).startswith("<｜begin▁of▁sentence｜>")


def test_retry_after_comes_before_the_backoff() -> None:
    start = time.monotonic()
    with (
        serve(lambda path, body: Reply(429, {}, {"retry-after": "0.2"})) as server,
        pytest.raises(ModelError, match="HTTP 429"),
    ):
        ask(server.url, retry=Retry(attempts=3, first=100, longest=100))
    assert 0.4 <= time.monotonic() - start < 5


def piece(text: str, reason: str | None = None) -> str:
    return json.dumps({"choices": [{"text": text, "finish_reason": reason}]})


@pytest.mark.parametrize(
    ("pieces", "cause"),
    [
        ([piece("half")], "without a finish_reason"),
        ([piece("half"), piece("", "abort"), "[DONE]"], "gave up"),
        ([piece("half"), '{"error": {"message": "engine died", "code": 500}}'], "engine died"),
        ([piece("half"), "{"], "no JSON"),
        (["[DONE]"], "without a finish_reason"),
        ([piece("half", "insufficient_system_resource")], "gave up"),
        ([piece("half", "")], "without a finish_reason"),
    ],
)
def test_what_is_cut_off_is_no_completion(pieces: list[str], cause: str) -> None:
    with (
        serve(lambda path, body: Reply(stream=iter(pieces)), owned_by="me") as server,
        pytest.raises(ModelError, match=cause),
    ):
        ask(server.url)


def test_an_empty_reply_to_a_stream_is_no_end_of_turn() -> None:
    empty = Reply(body={"choices": []})
    with (
        serve(lambda path, body: empty, owned_by="me") as server,
        pytest.raises(ModelError, match="without a finish_reason"),
    ):
        ask(server.url)


def test_a_server_that_calls_itself_vllm_and_does_not_tell_its_stop_is_streamed() -> None:
    """`finish_reason: stop` alone could be the end of turn or any of the stop strings."""

    def proxy(path: str, body: dict[str, Any]) -> Reply:
        if body.get("stream"):
            assert "stop" not in body
            return Reply(stream=iter([piece("It is 7.</"), piece("b> more", "stop")]))
        return Reply(body={"choices": [{"text": "It is 7.", "finish_reason": "stop"}]})

    with serve(proxy) as server:
        assert ask(server.url) == [Completion("It is 7.", Finish.STOP, "</b>", tokens_out=2)]


def test_a_stream_that_breaks_off_is_asked_again_and_then_an_error() -> None:
    with (
        serve(
            lambda path, body: Reply(stream=iter([piece("half")]), length=9999), owned_by="me"
        ) as server,
        pytest.raises(ModelError, match=r"broke off.*fix:"),
    ):
        ask(server.url)


def test_one_lost_or_failed_request_is_named_and_the_other_rows_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Retry, "_pause", lambda *_: 0.0)
    judged = {"Yes": -0.1, "No": -2.5}

    def answer(path: str, body: dict[str, Any]) -> Reply:
        if path == "/tokenize":
            return Reply(404)
        if "lost" in body["prompt"]:
            return Reply(drop=True)
        if "failed" in body["prompt"]:
            return Reply(body={"error": {"message": "engine died", "code": 500}})
        choice = {"text": "Yes", "finish_reason": "length", "stop_reason": None}
        return Reply(body={"choices": [choice | {"logprobs": {"top_logprobs": [judged]}}]})

    steps = ["fine", "lost", "failed", "fine as well"]
    rows = tmp_path / "rows.jsonl"
    rows.write_text(
        "".join(json.dumps({"problem": "1 + 1?", "steps": [step]}) + "\n" for step in steps)
    )
    with serve(answer) as server:
        words = ["verify", str(rows), "-m", server.url, "--mode", "direct", "--json"]
        done = CliRunner().invoke(app, words)
    made = [json.loads(line) for line in done.stdout.splitlines()]
    causes = [row.get("failed") or "" for row in sorted(made, key=lambda row: row["row"])]
    assert [bool(cause) for cause in causes] == [False, True, True, False]
    assert "connection lost" in causes[1]
    assert "engine died" in causes[2]
    assert all("fix: look at the server's log" in cause for cause in causes[1:3])


def heartbeats() -> Iterator[str]:
    """Events without data, as comments that keep a connection open."""
    while True:
        time.sleep(0.02)
        yield ""


@pytest.mark.parametrize(
    ("pieces", "timeout", "cause"),
    [
        (repeat("x"), 30, "no JSON"),
        (repeat(""), 30, "more than 100,000 characters"),
        (heartbeats(), 0.3, "no (text|answer) in"),
        (repeat('{"choices": []}'), 30, "more than the 50 tokens asked for"),
        (repeat('{"choices": [{"text": "a"}]}'), 30, "more than the 50 tokens asked for"),
    ],
)
def test_a_stream_without_an_end_is_left(
    pieces: Iterator[str], timeout: float, cause: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("genprm.models.sse.LONGEST", 100_000)
    with (
        serve(lambda path, body: Reply(stream=pieces), owned_by="me") as server,
        pytest.raises(ModelError, match=cause),
    ):
        ask(server.url, timeout=timeout, retry=Retry(attempts=1))


@pytest.mark.parametrize("choices", [None, [], [{"text": None, "finish_reason": "stop"}]])
def test_a_reply_of_another_shape_names_the_field_and_the_fix(choices: object) -> None:
    reply = Reply(body={"choices": choices})
    with (
        serve(lambda path, body: reply) as server,
        pytest.raises(ModelError, match=r"choices.*fix:") as raised,
    ):
        ask(server.url)
    assert "Error" not in str(raised.value)


def test_one_refused_request_is_told_from_a_server_that_refuses_all() -> None:
    def picky(path: str, body: dict[str, Any]) -> Reply:
        refusal = Reply(400, {"error": {"message": "content filtered"}})
        return refusal if path == "/tokenize" or body["prompt"] == "p" else TEXT

    with serve(picky) as server, pytest.raises(RequestFailed, match="content filtered"):
        ask(server.url)
    with (
        serve(lambda path, body: Reply(400, {"error": {"message": "no such field"}})) as server,
        pytest.raises(ModelError, match="no such field") as raised,
    ):
        ask(server.url)
    assert not isinstance(raised.value, RequestFailed)


def test_a_server_without_log_probabilities_is_refused() -> None:
    with serve(lambda path, body: TEXT) as server, pytest.raises(ModelError, match="log-prob"):
        choose(server.url)


@pytest.mark.parametrize("key", ["sk-secret\n", " sk-secret "])
def test_white_space_around_a_key_is_dropped(key: str) -> None:
    assert bearer(key) == {"Authorization": "Bearer sk-secret"}


def test_a_key_that_no_header_carries_is_refused_without_being_shown() -> None:
    with pytest.raises(InputError, match="API key") as raised:
        bearer("sk-sècret")
    assert "cret" not in str(raised.value)


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("GenPRM/GenPRM-7B", True),
        ("/models/GenPRM-1.5B", True),
        ("lab/GenPRM-7B#r2", True),
        ("my-genprm-qwen3", False),
        ("lab/GenPRM-7Bx", False),
    ],
)
def test_only_the_released_checkpoints_have_the_built_in_template(name: str, known: bool) -> None:
    with serve(script(), id=name) as server:
        if known:
            load_model(server.url)
        else:
            with pytest.raises(InputError, match="no chat template"):
                load_model(server.url)


@pytest.mark.parametrize("owner", [None, ["a", "b"], 7])
def test_a_detail_in_an_unknown_shape_counts_as_not_told(owner: Any) -> None:
    with serve(script(), owned_by=owner, max_model_len="?", root=[1]) as server:
        assert load_model(server.url).context_length == 32768
