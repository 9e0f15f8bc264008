"""Any server with `/v1/completions`: vLLM, SGLang, llama.cpp and others.

What the server is, and what it serves, it is asked once, when the adapter is built; how servers
differ is in `openai_dialects`. A server that does not say which stop string ended a text is read
as a stream that is cut, and so ended, here.
"""

import re
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

import httpx

from genprm.errors import ContextExceeded, ModelError
from genprm.model import Choice, Completion, Finish, Message, ModelIdentity, Sampling
from genprm.models.chat_template import ChatTemplate
from genprm.models.continuation import Continuation
from genprm.models.http_pool import ClientPool
from genprm.models.http_retry import Refused, Retry, check
from genprm.models.openai_server import Server, ask_server

_OVERFLOW = re.compile(r"context|too long|too many tokens|max_model_len", re.IGNORECASE)

T = TypeVar("T")


class OpenAICompatible:
    """A model behind a server.

    `url` is the server or its `/v1`; `model` one of its models, by default its first.
    `chat_template` replaces the one that the server tells (llama.cpp) or that the model's name
    implies (GenPRM). `context_length` is for servers that do not tell theirs.
    `connections` bounds the requests under way, `timeout` the seconds that one may take.

    Raises:
        ModelError: the server cannot be reached, or does not serve `model`.
        InputError: no chat template is known for the model.
    """

    def __init__(
        self,
        url: str,
        *,
        model: str | None = None,
        api_key: str | None = None,
        chat_template: ChatTemplate | None = None,
        context_length: int = 32768,
        connections: int = 512,
        timeout: float = 600.0,
        retry: Retry = Retry(),
    ) -> None:
        headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        self._server: Server = ask_server(url, model, headers)
        self._template = chat_template or self._server.template()
        self._context_length = self._server.context_length or context_length
        self._retry = retry
        self._ids: dict[str, int] = {}  # token ids of options
        self._pool = ClientPool(
            self._server.root,
            connections,
            headers=headers,
            timeout=httpx.Timeout(timeout, connect=10),
        )

    @property
    def name(self) -> str:
        """What the server calls the model."""
        return self._server.model

    @property
    def identity(self) -> ModelIdentity:
        """What the server said of itself when the adapter was built."""
        server = self._server
        return ModelIdentity(server.model, server.engine, "", server.weights, self._template.sha256)

    @property
    def context_length(self) -> int:
        """What the server tells, or the setting."""
        return self._context_length

    def render(self, messages: Sequence[Message], *, generation_prompt: bool = False) -> str:
        """See `Model.render`."""
        return self._template.render(messages, generation_prompt=generation_prompt)

    def literal(self, text: str) -> str:
        """See `Model.literal`."""
        return self._template.literal(text)

    async def complete(
        self,
        prompt: str,
        *,
        stop: Sequence[str],
        max_tokens: int,
        sampling: Sampling,
        seed: int | None = None,
    ) -> Completion:
        """See `Model.complete`."""
        dialect = self._server.dialect
        body = dialect.completion_body(self._without_bos(prompt), stop, max_tokens, sampling, seed)
        if not dialect.tells_stop:
            return await self._ask(lambda: self._stream(body, stop))
        try:
            return await self._ask(lambda: self._post(body, dialect.read_completion))
        except ContextExceeded:
            room = self._context_length - len(await self._tokenize(prompt) or ())
            if not 0 < room < max_tokens:
                raise
            body["max_tokens"] = room  # vLLM refuses what it could not finish
            return await self._ask(lambda: self._post(body, dialect.read_completion))

    async def choose(self, prompt: str, options: Sequence[str]) -> Choice:
        """See `Model.choose`; how many of the less probable tokens are told, the server decides."""
        dialect = self._server.dialect
        ids = await self._token_ids(options)
        body = dialect.choice_body(self._without_bos(prompt), ids)
        return await self._ask(
            lambda: self._post(body, lambda reply: dialect.read_choice(reply, options, ids))
        )

    async def close(self) -> None:
        """Close the connections; requests that still run fail."""
        await self._pool.close()

    async def _ask(self, call: Callable[[], Awaitable[T]]) -> T:
        """Retry what may pass, and say the rest in our words."""
        try:
            return await self._retry(call, server=self._server.url)
        except Refused as error:
            kind = ModelError
            if error.status in {400, 413, 422} and _OVERFLOW.search(str(error)):
                kind = ContextExceeded
            raise kind(f"{self._server.url}: {error}") from None
        except (ValueError, IndexError) as error:
            raise ModelError(
                f"{self._server.url}: not the reply of /v1/completions: {error}"
            ) from None

    async def _post(self, body: dict[str, Any], read: Callable[[dict[str, Any]], T]) -> T:
        async with self._pool.client() as client:
            response = await client.post(self._server.dialect.path, json=self._named(body))
        check(response)
        return read(response.json())

    async def _stream(self, body: dict[str, Any], stop: Sequence[str]) -> Completion:
        """Read until a stop string is complete; leaving closes the connection."""
        dialect = self._server.dialect
        continuation, pieces, reason = Continuation(stop), 0, None
        request = self._named(body) | {"stream": True}
        async with (
            self._pool.client() as client,
            client.stream("POST", dialect.path, json=request) as response,
        ):
            if not response.is_success:
                await response.aread()
            check(response)
            async for line in response.aiter_lines():
                if not line.startswith("data: ") or line == "data: [DONE]":
                    continue
                text, ended = dialect.read_piece(line.removeprefix("data: "))
                reason = ended or reason
                pieces += bool(text)
                if continuation.feed(text.encode()):
                    return _cut(continuation, Finish.STOP, pieces)
        return _cut(continuation, Finish.LENGTH if reason == "length" else Finish.EOS, pieces)

    def _without_bos(self, prompt: str) -> str:
        """`prompt` without the BOS that the server puts there itself."""
        server = self._server
        bos = self._template.tokens["bos_token"] if server.dialect.adds_bos else server.added_bos
        return prompt.removeprefix(bos)

    def _named(self, body: dict[str, Any]) -> dict[str, Any]:
        return {"model": self._server.model, **body}

    async def _token_ids(self, options: Sequence[str]) -> dict[str, int]:
        """Ids of single-token options; none where the server cannot tell."""
        for option in options:
            if option in self._ids:
                continue
            tokens = await self._tokenize(option)
            if tokens is None:
                return {}
            if len(tokens) != 1:
                raise ModelError(f"{self.name}: {option!r} is {len(tokens)} tokens; must be one")
            self._ids[option] = tokens[0]
        return {option: self._ids[option] for option in options}

    async def _tokenize(self, text: str) -> list[int] | None:
        body = self._server.dialect.tokenize_body(text)
        if body is None:
            return None
        try:
            async with self._pool.client() as client:
                response = await client.post("tokenize", json=self._named(body))
            return [int(token) for token in response.json()["tokens"]]
        except (httpx.HTTPError, ValueError, KeyError, TypeError):
            return None


def _cut(continuation: Continuation, finish: Finish, pieces: int) -> Completion:
    # a stream cut short brings no usage: pieces are tokens, as nearly as anybody tells
    return Completion(continuation.text, finish, continuation.stop, tokens_out=pieces)
