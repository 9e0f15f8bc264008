"""Any server with `/v1/completions`: vLLM, SGLang, llama.cpp and others.

When the adapter is built, it asks the server once what it is and what it serves; `openai_dialects`
has the differences between servers. If a server does not report which stop string ended a text, its
reply is read as a stream, and the text is cut here at the stop string, which ends the request.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from typing import TypeVar, cast

import httpx
from pydantic import ValidationError

from genprm.errors import ContextExceeded, ModelError, RequestFailed
from genprm.http import BadReply, Refused, Retry, Unavailable, bearer, check
from genprm.model import Choice, Completion, Finish, Sampling
from genprm.models.base import TemplatedModel
from genprm.models.chat_template import ChatTemplate
from genprm.models.continuation import Continuation
from genprm.models.finish_reasons import ended
from genprm.models.http_pool import ClientPool
from genprm.models.openai_dialects import NoLogprobs, StopUntold
from genprm.models.openai_server import ask_server
from genprm.models.server_tokens import ServerTokens
from genprm.models.sse import decoded, events
from genprm.records.record import JsonObject, replace_surrogates
from genprm.records.validation import field_fault

_OVERFLOW = re.compile(
    r"context (?:length|size|window)|maximum context|too long|too many tokens|max_model_len"
    r"|must have less than \d+ tokens|exceeds max input",
    re.IGNORECASE,
)
_CONTEXT = 32768  # tokens, where the server does not tell
_LEAST_ROOM = 32  # tokens; a request that does not even fit with these is too long itself
_ITEM_REFUSED = {400, 413, 422}  # statuses that may be about one request's text alone

T = TypeVar("T")


class OpenAICompatible(TemplatedModel):
    """A model behind a server.

    `url` is the server or its `/v1`; `model` is one of its models, by default the first.
    `chat_template` replaces the one that the server reports (llama.cpp) or that the model's name
    implies (GenPRM). `special_tokens` are those of its tokenizer that the server does not report.
    `context_length` limits the length that the server reports (Ollama is asked for this length).
    `connections` limits the requests at the same time, and `timeout` the seconds that one may take.

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
        special_tokens: Iterable[str] = (),
        context_length: int | None = None,
        connections: int = 512,
        timeout: float = 600.0,
        retry: Retry = Retry(),
    ) -> None:
        headers = bearer(api_key)
        server = self._server = ask_server(url, model, headers, context_length)
        template = chat_template or server.template()
        told = server.context_length or _CONTEXT
        super().__init__(
            template.with_tokens({*special_tokens, *server.special_tokens}),
            min(told, context_length) if context_length else told,
            name=server.model,
            engine=server.engine,
            version=server.engine_version,
            weights=server.weights,
        )
        self._retry = retry
        self._timeout = timeout
        self._gave_logprobs = False
        self._answering = ""  # the model that the first reply named
        self._tells_stop = self._server.dialect.tells_stop
        self._pool = ClientPool(
            self._server.root,
            connections,
            headers=headers,
            timeout=httpx.Timeout(timeout, connect=10),
        )
        self._tokens = ServerTokens(self._pool, self._server.dialect, self._server.model)

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
        body = dialect.completion_body(self._sent(prompt), stop, max_tokens, sampling, seed)
        try:
            return await self._ask(lambda: self._completed(body, stop))
        except ContextExceeded as error:
            refusal = error
        # a server refuses what could outgrow its context: it is asked for what fits
        rooms = (
            [self.context_length - len(tokens)]
            if (tokens := await self._tokens.encode(prompt))
            else []
        )
        rooms += [max_tokens >> n for n in range(1, 12) if max_tokens >> n >= _LEAST_ROOM]
        for room in rooms:
            if 0 < room < max_tokens:
                body["max_tokens"] = room
                try:
                    return await self._ask(lambda: self._completed(body, stop))
                except ContextExceeded as error:
                    refusal = error
        raise refusal

    async def choose(self, prompt: str, options: Sequence[str]) -> Choice:
        """See `Model.choose`; the server decides how many less probable tokens it reports."""
        dialect = self._server.dialect
        ids = await self._tokens.options(prompt, options)
        body = dialect.choice_body(self._sent(prompt), ids)
        choice = await self._ask(
            lambda: self._post(
                dialect.choice_path(ids), body, lambda r: dialect.read_choice(r, options, ids)
            )
        )
        self._gave_logprobs = True
        return choice

    async def close(self) -> None:
        """Close the connections; requests that still run fail."""
        await self._pool.close()

    async def _ask(self, call: Callable[[], Awaitable[T]]) -> T:
        """Retry what may succeed, and turn other failures into errors of the request or server."""
        url = self._server.url
        try:
            return await self._retry(call, server=url)
        except NoLogprobs:
            if self._gave_logprobs:
                raise RequestFailed(f"{url}: a reply without log-probabilities") from None
            raise ModelError(
                f"{url}: P(Yes) needs log-probabilities, and {self._server.dialect.no_logprobs}; "
                "more: genprm explain log-probabilities"
            ) from None
        except Refused as error:
            if error.status in _ITEM_REFUSED and _OVERFLOW.search(str(error)):
                raise ContextExceeded(f"{url}: {error}") from None
            if error.status not in _ITEM_REFUSED:
                hint = "; fix: use a server with /v1/completions, which a verifier needs"
                raise ModelError(f"{url}: {error}{hint if error.status == 404 else ''}") from None
            fault = f"{url}: {error}; fix: change the text, or look at the server's log"
        except RequestFailed:
            raise
        except ModelError as error:
            fault = str(error)
        except (ValueError, IndexError) as error:
            fault = (
                f"{url}: not the reply of /{self._server.dialect.path} ({_in_words(error)}); "
                "fix: name the URL of a model server"
            )
        raise (RequestFailed if await self._answers() else ModelError)(fault)

    async def _answers(self) -> bool:
        """Whether the server completes a harmless prompt; then the fault was in the request."""
        dialect = self._server.dialect
        body = dialect.completion_body("1 + 1 =", (), 1, Sampling(), 0)
        try:
            await self._completed(body, ())
        except (Unavailable, Refused, httpx.HTTPError, ValueError, IndexError):
            return False
        return True

    async def _completed(self, body: JsonObject, stop: Sequence[str]) -> Completion:
        """The completion, as one reply if the server reports which stop string ended it."""
        if self._tells_stop:
            try:
                return await self._complete_whole(body, stop)
            except StopUntold:  # what it ends with is not its end of turn
                self._tells_stop = False
        return await self._stream({key: body[key] for key in body if key != "stop"}, stop)

    async def _complete_whole(self, body: JsonObject, stop: Sequence[str]) -> Completion:
        dialect = self._server.dialect
        done = await self._post(dialect.path, body, lambda r: dialect.read_completion(r, stop))
        if done.stop is not None and done.text.endswith(done.stop):  # not every server trims it
            return replace(done, text=done.text.removesuffix(done.stop))
        return done

    async def _post(self, path: str, body: JsonObject, read: Callable[[JsonObject], T]) -> T:
        async with self._pool.client() as client:
            response = await client.post(path, json=self._named(body))
        check(response)
        reply = decoded(response.text)
        self._check_model(reply)
        return read(reply)

    def _check_model(self, reply: JsonObject) -> None:
        """Check that a reply names the same model as the first reply.

        Raises:
            RequestFailed: the server answers with another model.
        """
        if not isinstance(name := reply.get("model"), str):
            return
        self._answering = self._answering or name
        if name != self._answering:
            raise RequestFailed(
                f"{self._server.url}: the server now answers with {name!r} instead of "
                f"{self._answering!r}, so this reply is not used; fix: serve one model during a run"
            )

    async def _stream(self, body: JsonObject, stop: Sequence[str]) -> Completion:
        """Read until a stop string is complete; leaving early closes the connection."""
        dialect = self._server.dialect
        continuation, pieces, heard, reason = Continuation(stop), 0, 0, None
        longest = cast(int, body["max_tokens"]) + _LEAST_ROOM
        request = self._named(body) | {"stream": True}
        async with (
            _bounded(self._timeout) as silence,
            self._pool.client() as client,
            client.stream("POST", dialect.path, json=request) as response,
        ):
            if not response.is_success:
                await response.aread()
            check(response)
            async with aclosing(events(response)) as stream:
                async for event in stream:
                    if event is None:  # [DONE]
                        reason = reason or ("stop" if pieces else None)
                        break
                    silence.reschedule(asyncio.get_running_loop().time() + self._timeout)
                    self._check_model(event)
                    text, finish = dialect.read_piece(event)
                    reason = ended(finish) if finish else reason
                    pieces += bool(text)
                    heard += 1
                    if continuation.feed(text.encode()):
                        return _cut(continuation, Finish.STOP, pieces)
                    if pieces > longest or heard > 2 * longest:
                        raise Refused(400, f"more than the {body['max_tokens']} tokens asked for")
        if reason is None:
            raise BadReply("the stream ended without a finish_reason or [DONE]")
        return _cut(continuation, Finish.LENGTH if reason == "length" else Finish.EOS, pieces)

    def _sent(self, prompt: str) -> str:
        return self._without_bos(replace_surrogates(prompt))

    def _without_bos(self, prompt: str) -> str:
        """`prompt` without the BOS token, if the server adds it itself."""
        server = self._server
        bos = self.template.tokens["bos_token"] if server.adds_bos else server.added_bos
        return prompt.removeprefix(bos)

    def _named(self, body: JsonObject) -> JsonObject:
        return {"model": self._server.model, **body}


@asynccontextmanager
async def _bounded(seconds: float) -> AsyncIterator[asyncio.Timeout]:
    """A time limit for a stream without data; comments that keep it open do not count as data.

    Raises:
        Unavailable: no data arrived in this time, or since the limit was last reset.
    """
    try:
        async with asyncio.timeout(seconds) as silence:
            yield silence
    except TimeoutError:
        raise Unavailable(f"no text in {seconds:g} seconds") from None


def _in_words(error: Exception) -> str:
    if isinstance(error, ValidationError):
        return field_fault(error)
    return "no choices" if isinstance(error, IndexError) else str(error)[:200]


def _cut(continuation: Continuation, finish: Finish, pieces: int) -> Completion:
    # a stream cut short brings no usage: pieces are tokens, as nearly as anybody tells
    return Completion(continuation.text, finish, continuation.stop, tokens_out=pieces)
