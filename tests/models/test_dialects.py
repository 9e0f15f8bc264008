"""Servers with APIs of their own, each imitated on the loopback in its own words."""

import asyncio
import json
import threading
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, TypeVar

import pytest
from typer.testing import CliRunner

from genprm.cli.main import app
from genprm.errors import InputError, JournalError, ModelError, RequestFailed
from genprm.http import Retry
from genprm.model import Choice, Completion, Finish, Message, Model, Sampling
from genprm.models.chat_api import ChatAPI
from genprm.models.chat_template import ChatTemplate
from genprm.models.load import load_model
from genprm.models.openai_api import OpenAICompatible
from genprm.policy import Policy, PolicySettings

T = TypeVar("T")
Asked = list[tuple[str, dict[str, Any]]]
Answer = Callable[[dict[str, Any]], Any]
ONCE = Retry(attempts=1)
PLAIN = ChatTemplate("{{ bos_token }}{{ messages[0]['content'] }}", bos_token="<s>")
SAMPLING = Sampling(0.6, 0.95, 20)


def models(owner: str, name: str = "m", **entry: Any) -> dict[str, Any]:
    return {"object": "list", "data": [{"id": name, "object": "model", "owned_by": owner, **entry}]}


@contextmanager
def server(routes: Mapping[str, Any]) -> Iterator[tuple[str, Asked]]:
    """A server whose routes are answers or functions of the request; an iterator is a stream."""
    asked: Asked = []

    class Connection(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.reply(routes.get(self.path))

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            asked.append((self.path, body))
            route = routes.get(self.path)
            self.reply(route(body) if callable(route) else route)

        def reply(self, answer: Any) -> None:
            status, kind = (404 if answer is None else 200), "application/json"
            if isinstance(answer, tuple):
                status, answer = answer
            if isinstance(answer, Iterator):
                kind = "application/x-ndjson"
                content = "".join(f"{json.dumps(line)}\n" for line in answer)
            else:
                content = json.dumps({"error": "no such page"} if answer is None else answer)
            self.send_response(status)
            self.send_header("content-type", kind)
            self.end_headers()
            self.wfile.write(content.encode())

        def log_message(self, *_: object) -> None: ...

    listener = ThreadingHTTPServer(("127.0.0.1", 0), Connection)
    threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.01}).start()
    try:
        yield f"http://127.0.0.1:{listener.server_port}", asked
    finally:
        listener.shutdown()
        listener.server_close()


def with_model(url: str, use: Callable[[Model], Awaitable[T]], **settings: Any) -> T:
    async def session() -> T:
        model = OpenAICompatible(url, retry=ONCE, **{"chat_template": PLAIN} | settings)
        try:
            return await use(model)
        finally:
            await model.close()

    return asyncio.run(session())


def complete(url: str, stop: tuple[str, ...] = ("</a>", "</b>")) -> Completion:
    return with_model(
        url,
        lambda m: m.complete("<s>p", stop=stop, max_tokens=9, sampling=SAMPLING, seed=3),
    )


def choose(url: str) -> Choice:
    return with_model(url, lambda m: m.choose("<s>p", ["Yes", "No"]))


def tokens(body: dict[str, Any]) -> dict[str, Any]:
    """SGLang's /tokenize, for a tokenizer of words that adds no BOS."""
    ids = {"Yes": [9], "No": [5]}
    text = body["prompt"]
    for option, found in ids.items():
        if text.endswith(option):
            return {"tokens": [*([1] if text != option else []), *found]}
    return {"tokens": [1] if text else []}


def sglang(scores: Any) -> dict[str, Any]:
    def generate(body: dict[str, Any]) -> Any:
        meta = {"id": "x", "finish_reason": {"type": "length", "length": 1}, "prompt_tokens": 7}
        meta |= {"cached_tokens": 4, "output_token_ids_logprobs": [scores]}
        return {"text": " No", "meta_info": meta}

    return {"/v1/models": models("sglang"), "/tokenize": tokens, "/generate": generate}


def test_sglang_scores_the_options_and_they_are_matched_by_id() -> None:
    with server(sglang([[-0.1, 5, None], [-2.3, 9, None]])) as (url, asked):
        choice = choose(url)
    assert choice == Choice({"Yes": -2.3, "No": -0.1}, 7, 4, likeliest=(" No",))
    (body,) = [body for path, body in asked if path == "/generate"]
    assert body["token_ids_logprob"] == [9, 5]
    assert body["sampling_params"]["max_new_tokens"] == 1
    assert body["text"] == "<s>p"  # its tokenizer adds no BOS, so ours stays


def test_sglang_without_scores_is_refused_with_the_reason() -> None:
    with server(sglang(None)) as (url, _), pytest.raises(ModelError, match="needs log-pro"):
        choose(url)


def ollama(generate: Answer, **changes: Any) -> dict[str, Any]:
    return {
        "/v1/models": models("library", "smollm2:135m"),
        "/api/version": {"version": "0.12.11"},
        "/api/tags": {"models": [{"name": "smollm2:135m", "digest": "9077fe9d2ae1"}]},
        "/api/show": {"template": "{{ .Prompt }}", "model_info": {"llama.context_length": 4096}},
        "/api/generate": generate,
    } | changes


def test_ollama_gets_raw_text_and_is_cut_at_our_stop_string() -> None:
    def generate(body: dict[str, Any]) -> Iterator[Any]:
        for text in ("so ", "it is</", "a> more"):
            yield {"model": "smollm2:135m", "response": text, "done": False}
        yield {"model": "smollm2:135m", "response": "", "done": True, "done_reason": "stop"}

    with server(ollama(generate)) as (url, asked):
        done = complete(url)
    assert (done.text, done.finish, done.stop) == ("so it is", Finish.STOP, "</a>")
    (body,) = [body for path, body in asked if path == "/api/generate"]
    assert body["raw"] is True
    assert body["truncate"] is False
    assert body["options"] | {"num_predict": 9, "num_ctx": 4096, "seed": 3} == body["options"]
    assert "stop" not in body["options"]


@pytest.mark.parametrize(("reason", "finish"), [("stop", Finish.EOS), ("length", Finish.LENGTH)])
def test_ollama_says_how_a_text_ended(reason: str, finish: Finish) -> None:
    def generate(body: dict[str, Any]) -> Iterator[Any]:
        yield {"response": "whole", "done": False}
        yield {"response": "", "done": True, "done_reason": reason, "eval_count": 2}

    with server(ollama(generate)) as (url, _):
        assert (complete(url).text, complete(url).finish) == ("whole", finish)


def test_ollama_gives_log_probabilities_or_is_refused() -> None:
    top = [{"token": "Yes", "logprob": -0.2}, {"token": "No", "logprob": -1.9}]
    reply = {"response": "Yes", "done": True, "done_reason": "length", "prompt_eval_count": 6}
    told = reply | {"logprobs": [{"token": "Yes", "logprob": -0.2, "top_logprobs": top}]}
    with server(ollama(lambda body: told)) as (url, asked):
        assert choose(url) == Choice({"Yes": -0.2, "No": -1.9}, 6, likeliest=("Yes", "No"))
    assert asked[-1][1]["logprobs"] is True
    assert asked[-1][1]["top_logprobs"] == 20
    with (
        server(ollama(lambda body: reply)) as (url, _),
        pytest.raises(ModelError, match=r"this version of Ollama gives none; fix: Ollama 0\.12"),
    ):
        choose(url)


def test_ollama_tells_digest_version_and_context() -> None:
    with server(ollama(lambda body: None)) as (url, _):
        model = OpenAICompatible(url, chat_template=PLAIN)
        small = OpenAICompatible(url, chat_template=PLAIN, context_length=1000)
    assert model.identity.weights == "9077fe9d2ae1"
    assert (model.identity.engine, model.identity.engine_version) == ("ollama", "0.12.11")
    assert (model.context_length, small.context_length) == (4096, 1000)


@pytest.mark.parametrize(
    ("routes", "told"),
    [
        ({"/v1/models": models("vllm"), "/version": {"version": "0.32.0"}}, "0.32.0"),
        ({"/v1/models": models("sglang"), "/get_server_info": {"version": "0.6"}}, "0.6"),
        ({"/v1/models": models("sglang"), "/server_info": {"version": "0.7"}}, "0.7"),
        (
            {
                "/v1/models": models("llamacpp"),
                "/props": {"build_info": "b7000-abc", "chat_template": "t"},
                "/tokenize": {"tokens": []},
            },
            "b7000-abc",
        ),
        ({"/v1/models": models("vllm")}, ""),
        ({"/v1/models": models("vllm"), "/version": {"release": 7}}, ""),
    ],
)
def test_the_version_of_an_engine_is_what_its_server_tells(
    routes: dict[str, Any], told: str
) -> None:
    with server(routes) as (url, _):
        assert OpenAICompatible(url, chat_template=PLAIN).identity.engine_version == told


def test_special_tokens_that_a_server_tells_are_kept_out_of_texts(tmp_path: Path) -> None:
    vocabulary = {
        "tokenizer.ggml.tokens": ["«a»", "the", "«b»", "  "],
        "tokenizer.ggml.token_type": [3, 1, 4, 4],
    }
    told = {"added_tokens_decoder": {"5": {"content": "«a»", "special": True}}, "eos_token": "«b»"}
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(told))
    servers: list[dict[str, Any]] = [
        ollama(lambda body: None) | {"/api/show": {"model_info": vocabulary}},
        {"/v1/models": models("vllm"), "/tokenizer_info": told},
        {"/v1/models": models("sglang", root=str(tmp_path))},
    ]
    for routes in servers:
        with server(routes) as (url, _):
            model = OpenAICompatible(url, chat_template=PLAIN)
        assert model.literal("«a» «b»the  end") == "« a» « b»the  end"


@pytest.mark.parametrize("reason", ["abort", "watermark", "stop_sequence"])
def test_tgi_that_gave_up_or_hides_its_stop_has_not_ended(reason: str) -> None:
    details = {"finish_reason": reason, "generated_tokens": 2}
    reply = {"generated_text": "so", "details": details}
    with server(tgi(lambda body: reply)) as (url, _), pytest.raises(ModelError, match="fix"):
        complete(url)


@pytest.mark.parametrize("usage", [{"prompt_tokens": -5}, [], "x", {"prompt_tokens_details": 3}])
def test_a_usage_of_an_unknown_shape_is_not_told(usage: Any) -> None:
    reply = {"choices": [{"text": "x", "finish_reason": "stop", "stop_reason": None}]}
    routes = {"/v1/models": models("vllm"), "/v1/completions": reply | {"usage": usage}}
    with server(routes) as (url, _):
        assert complete(url).tokens_in == 0


def test_a_server_without_a_template_asks_for_one() -> None:
    with server(ollama(lambda body: None)) as (url, _), pytest.raises(InputError, match="--chat-t"):
        OpenAICompatible(url)


def tgi(generate: Answer) -> dict[str, Any]:
    return {
        "/v1/models": models("o/m", "o/m"),
        "/info": {
            "model_id": "o/m",
            "model_sha": "abc",
            "max_total_tokens": 2048,
            "version": "3.1",
        },
        "/tokenize": lambda body: [{"id": 1, "text": "<s>"}, {"id": 2, "text": "a"}],
        "/generate": generate,
    }


@pytest.mark.parametrize(
    ("text", "reason", "expected"),
    [
        ("so</a>", "stop_sequence", ("so", Finish.STOP, "</a>")),
        ("so", "eos_token", ("so", Finish.EOS, None)),
        ("so", "length", ("so", Finish.LENGTH, None)),
    ],
)
def test_tgi_says_how_a_text_ended(text: str, reason: str, expected: tuple[Any, ...]) -> None:
    details = {"finish_reason": reason, "generated_tokens": 2, "seed": 3}
    with server(tgi(lambda body: {"generated_text": text, "details": details})) as (url, asked):
        done = complete(url)
    assert (done.text, done.finish, done.stop) == expected
    body = asked[-1][1]
    assert body["inputs"] == "p"  # its tokenizer adds the BOS
    assert body["parameters"] == {
        **{"max_new_tokens": 9, "details": True, "do_sample": True, "temperature": 0.6},
        **{"top_p": 0.95, "top_k": 20, "stop": ["</a>", "</b>"], "seed": 3},
    }


def test_tgi_chooses_greedily_and_without_neutral_samplers() -> None:
    top = [[{"id": 9, "text": "Yes", "logprob": -0.2}, {"id": 5, "text": "No", "logprob": -1.9}]]
    details = {"finish_reason": "length", "generated_tokens": 1, "top_tokens": top}
    with server(tgi(lambda body: {"generated_text": "Yes", "details": details})) as (url, asked):
        choice = choose(url)
    assert (choice.logprobs, choice.likeliest) == ({"Yes": -0.2, "No": -1.9}, ("Yes", "No"))
    parameters = asked[-1][1]["parameters"]
    assert parameters["top_n_tokens"] == 5
    assert not parameters["do_sample"]
    assert not parameters.keys() & {"temperature", "top_p", "top_k"}


COMPLETION = {"choices": [{"text": "x", "finish_reason": "length"}]}


@pytest.mark.parametrize(
    ("routes", "reason"),
    [
        ({"/v1/models": models("organization_owner")}, "LM Studio gives none"),
        (
            {"/v1/models": models("openai"), "/health/liveliness": "I'm alive!"},
            "the provider behind LiteLLM gives none",
        ),
        ({"/v1/models": models("somebody")}, "the server gives none"),
    ],
)
def test_no_verifier_where_there_are_no_log_probabilities(
    routes: dict[str, Any], reason: str
) -> None:
    routes = routes | {"/v1/completions": COMPLETION}
    with server(routes) as (url, _), pytest.raises(ModelError, match=f"{reason}.*fix: .*vLLM"):
        choose(url)


def test_llama_swap_is_asked_as_what_it_runs() -> None:
    up = "/upstream/m"
    routes = {
        "/v1/models": models("llama-swap"),
        f"{up}/v1/models": models("llamacpp", meta={"n_ctx": 99, "n_params": 7, "size": 8}),
        f"{up}/props": {"chat_template": "t", "bos_token": "<s>"},
        f"{up}/tokenize": {"tokens": []},
        f"{up}/completion": {"content": "so", "stop_type": "word", "stopping_word": "</a>"},
    }
    with server(routes) as (url, asked):
        assert complete(url).stop == "</a>"
        model = OpenAICompatible(url)
        assert model.identity.weights == "7 parameters in 8 bytes"
        assert model.context_length == 99
    assert asked[-1][0] == f"{up}/tokenize"


def test_a_template_comes_from_the_folder_that_the_server_tells_and_the_log_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "chat_template.jinja").write_text("{{ messages[0].content }}!")
    with server({"/v1/models": models("vllm", root=str(tmp_path))}) as (url, _):
        model = load_model(url)
        assert model.render([{"role": "user", "content": "hi"}]) == "hi!"
    assert caplog.messages == [
        f"{url}: m with the chat template {tmp_path / 'chat_template.jinja'}"
    ]


CHATML = (
    "{% if messages[0].role != 'system' %}<|im_start|>system\nBe kind.<|im_end|>\n{% endif %}"
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
HEADED = (  # as of Llama 3: contents are trimmed, and a token begins the whole
    "<|begin|>{% for m in messages %}<|h|>{{ m.role }}<|/h|>\n\n{{ m.content | trim }}<|eot|>"
    "{% endfor %}{% if add_generation_prompt %}<|h|>assistant<|/h|>\n\n{% endif %}"
)


def rendering(source: str) -> dict[str, Any]:
    """vLLM, whose tokens are here the characters that its template renders."""
    own = ChatTemplate(source)

    def tokenize(body: dict[str, Any]) -> dict[str, Any]:
        text = own.render(body["messages"], generation_prompt=body["add_generation_prompt"])
        return {"tokens": [ord(character) for character in text]}

    return {
        "/v1/models": models("vllm"),
        "/tokenize": tokenize,
        "/detokenize": lambda body: {"prompt": "".join(map(chr, body["tokens"]))},
    }


@pytest.mark.parametrize("source", [CHATML, HEADED])
def test_a_template_that_nobody_tells_is_learned_from_what_vllm_renders(source: str) -> None:
    chat: list[Message] = [
        {"role": "system", "content": "You check “steps”.\n"},
        {"role": "user", "content": "\n1 + 1 = {{ 3 }}"},
        {"role": "assistant", "content": "<analyze>\nNo.\n</analyze>\n"},
        {"role": "user", "content": "And then?"},
    ]
    with server(rendering(source)) as (url, _):
        learned = OpenAICompatible(url)
    for turns in (chat, chat[1:], chat[:3], chat[1:2]):
        for marked in (False, True):
            expected = ChatTemplate(source).render(turns, generation_prompt=marked)
            assert learned.render(turns, generation_prompt=marked) == expected
    assert learned.literal("<|im_start|> <|eot|>") == ChatTemplate(source).literal(
        "<|im_start|> <|eot|>"
    )


def test_a_template_that_does_more_than_to_join_turns_is_not_guessed() -> None:
    upper = "{% for m in messages %}{{ m.content | upper }}{% endfor %}"
    hiding = "{% for m in messages %}{{ m.content.split(' ')[0] }};{% endfor %}"
    for source in (upper, hiding):
        with server(rendering(source)) as (url, _), pytest.raises(InputError, match="--chat-templ"):
            OpenAICompatible(url)


def test_a_server_that_changes_its_model_fails_the_replies_that_are_not_its_own() -> None:
    names = iter(["first.gguf", "first.gguf", "second.gguf", "first.gguf"])

    def completions(body: dict[str, Any]) -> dict[str, Any]:
        choice = {"text": "x", "finish_reason": "length", "stop_reason": None}
        return {"model": next(names), "choices": [choice]}

    async def ask(model: Model) -> list[object]:
        found: list[object] = []
        for _ in range(4):
            try:
                done = await model.complete("p", stop=(), max_tokens=1, sampling=SAMPLING)
                found.append(done.text)
            except RequestFailed as error:
                found.append(str(error))
        return found

    routes = {"/v1/models": models("vllm"), "/v1/completions": completions}
    with server(routes) as (url, _):
        first, second, other, fourth = with_model(url, ask)
    assert [first, second, fourth] == ["x", "x", "x"]
    assert "answers with 'second.gguf' instead of 'first.gguf'" in str(other)


def test_a_tokenizer_that_joins_yes_with_what_precedes_it_is_refused() -> None:
    def joining(body: dict[str, Any]) -> dict[str, Any]:
        return {"tokens": [42]}  # whatever it is given

    routes = {"/v1/models": models("vllm"), "/tokenize": joining}
    with server(routes) as (url, _), pytest.raises(ModelError, match="joins 'Yes' with"):
        choose(url)


def chat(content: str, reason: str = "stop") -> dict[str, Any]:
    choice = {"message": {"role": "assistant", "content": content}, "finish_reason": reason}
    return {"choices": [choice], "usage": {"prompt_tokens": 4, "completion_tokens": 5}}


def test_a_chat_api_writes_solutions_and_continues_them() -> None:
    replies = iter([chat("Step 1: 2 + 2 = 4.\n\nStep 2: So 4."), chat("Step 2: so it is 4.")])
    with server({"/v1/chat/completions": lambda body: next(replies)}) as (url, asked):

        async def write() -> list[tuple[str, ...]]:
            policy = Policy(ChatAPI(url, "m", retry=ONCE), PolicySettings(system="Be brief."))
            whole = await policy.solve("What is 2 + 2?", seed=1)
            rest = await policy.solve("What is 2 + 2?", steps=whole.steps[:1], seed=1)
            await policy.model.close()
            return [whole.steps, rest.steps]

        whole, rest = asyncio.run(write())
    assert whole == ("Step 1: 2 + 2 = 4.", "Step 2: So 4.")
    assert rest == ("Step 1: 2 + 2 = 4.", "Step 2: so it is 4.")
    first, second = (body["messages"] for _, body in asked)
    assert [message["role"] for message in first] == ["system", "user"]
    assert [message["role"] for message in second] == ["system", "user", "assistant", "user"]
    assert second[2]["content"] == "Step 1: 2 + 2 = 4."


def test_a_chat_api_teaches_and_does_not_judge() -> None:
    turns: list[Message] = [{"role": "user", "content": "Critique it. \x1e"}]
    with server({"/v1/chat/completions": chat("It is </a> right.", "length")}) as (url, asked):

        async def ask() -> Completion:
            model = load_model(f"chat:{url}/v1#m")
            prompt = model.render(turns, generation_prompt=True)
            done = await model.complete(
                prompt, stop=["</a>"], max_tokens=5, sampling=SAMPLING, seed=1
            )
            with pytest.raises(ModelError, match=r"half-written turn.*fix: use a server with"):
                await model.complete(
                    prompt + "<analyze>\n", stop=(), max_tokens=5, sampling=SAMPLING
                )
            with pytest.raises(ModelError, match=r"/v1/chat/completions can do neither"):
                await model.choose(prompt, ["Yes", "No"])
            await model.close()
            return done

        done = asyncio.run(ask())
    assert (done.text, done.stop, done.tokens_out) == ("It is ", "</a>", 5)
    assert asked[0][1]["messages"] == turns
    with pytest.raises(InputError, match="names no model"):
        load_model(f"chat:{url}")


def test_a_chat_api_that_refuses_or_fails_is_named() -> None:
    async def ask(url: str) -> Completion:
        model = ChatAPI(url, "m", retry=ONCE)
        try:
            prompt = model.render([{"role": "user", "content": "p"}])
            return await model.complete(prompt, stop=(), max_tokens=5, sampling=SAMPLING)
        finally:
            await model.close()

    refused = (401, {"error": {"message": "no such key"}})
    for answer, kind, words in [
        (refused, ModelError, "no such key"),
        ((400, {"error": {"message": "too long"}}), RequestFailed, "too long"),
        ({"error": {"message": "overloaded", "code": 503}}, ModelError, "overloaded"),
    ]:
        with server({"/v1/chat/completions": answer}) as (url, _), pytest.raises(kind, match=words):
            asyncio.run(ask(url))


def test_a_run_is_not_taken_up_with_another_served_model(tmp_path: Path) -> None:
    top = {"Yes": -0.2, "No": -1.9}
    choice = {"text": "Yes", "finish_reason": "length", "logprobs": {"top_logprobs": [top]}}
    rows = tmp_path / "rows.jsonl"
    rows.write_text('{"problem": "2 + 3 =", "steps": ["2 + 3 = 5."]}\n')
    template = tmp_path / "chat.jinja"
    template.write_text("{% for m in messages %}{{ m.content }}\n{% endfor %}")
    routes: dict[str, Any] = {"/v1/completions": {"choices": [choice]}}
    words = ["verify", str(rows), "-o", str(tmp_path / "out.jsonl"), "--mode", "direct"]
    words += ["--chat-template", str(template)]

    def run(url: str) -> BaseException | None:
        return CliRunner().invoke(app, [*words, "-m", url]).exception

    with server(routes) as (url, _):
        routes["/v1/models"] = models("vllm", root="org/first")
        assert run(url) is None
        assert run(url) is None
        routes["/v1/models"] = models("vllm", root="org/second")
        with pytest.raises(JournalError, match=r'model\.weights was "org/first" and is "org/sec'):
            raise run(url) or AssertionError("it went on")
