"""A server that has only `/v1/chat/completions`: it writes solutions and critiques.

A chat API takes whole turns and starts a new one, whereas our port continues text. So `render`
keeps the turns in a form that `complete` can read back, and if a policy's answer must continue from
text such as "Step 3:", the request asks for this in words. A verifier's half-written turn cannot be
continued this way and is refused.
"""

import json
from collections.abc import Sequence
from typing import NoReturn

import httpx
from pydantic import BaseModel, NonNegativeInt

from genprm.control_tokens import ControlTokens
from genprm.errors import ModelError, RequestFailed
from genprm.http import BadReply, Refused, Retry, bearer, check
from genprm.model import Choice, Completion, Finish, Message, ModelIdentity, Sampling
from genprm.models.base import IdentifiedModel
from genprm.models.continuation import Continuation
from genprm.models.finish_reasons import ended
from genprm.models.http_pool import ClientPool
from genprm.models.openai_dialects import JUDGES
from genprm.models.sse import decoded
from genprm.models.told import Told
from genprm.records.record import JsonObject
from genprm.step_marker import step_markers, step_prefix

_END = "\x1e"  # record separator: JSON writes it as an escape, so it ends the turns for certain


_CONTROL_TOKENS = ControlTokens()


class _Said(BaseModel):
    content: str | None = None


class _Alternative(BaseModel):
    message: _Said
    finish_reason: str | None = None


class _Usage(BaseModel):
    prompt_tokens: Told[NonNegativeInt] = 0
    completion_tokens: Told[NonNegativeInt] = 0


class _Reply(BaseModel):
    choices: list[_Alternative]
    usage: Told[_Usage] = None


class ChatAPI(IdentifiedModel):
    """A model behind a chat API, for everything except judging steps.

    `connections` limits the requests at the same time, and `timeout` the seconds that one may take.
    `context_length` is the length that callers plan with, because a chat API does not report its
    own. top_k is not sent, because these APIs do not have it.
    """

    def __init__(
        self,
        url: str,
        model: str,
        *,
        api_key: str | None = None,
        context_length: int = 32768,
        connections: int = 64,
        timeout: float = 600.0,
        retry: Retry = Retry(),
    ) -> None:
        self._url = f"{url.strip().rstrip('/').removesuffix('/v1')}/v1"
        identity = ModelIdentity(model, "chat completions", "", self._url, None)
        super().__init__(identity, context_length)  # a chat API tells no more
        self._retry = retry
        wait = httpx.Timeout(timeout, connect=10)
        self._pool = ClientPool(self._url, connections, headers=bearer(api_key), timeout=wait)

    def render(self, messages: Sequence[Message], *, generation_prompt: bool = False) -> str:
        """The turns, to be read back by `complete`; their contents cannot become control tokens.

        A server's own template does not prevent that: it renders one text, which is tokenized.
        """
        turns = [{"role": m["role"], "content": self.literal(m["content"])} for m in messages]
        return json.dumps(turns) + _END

    def literal(self, text: str) -> str:
        """See `Model.literal`; uses patterns of known families, as no API reports its tokens."""
        return _CONTROL_TOKENS.literal(text)

    async def complete(
        self,
        prompt: str,
        *,
        stop: Sequence[str],
        max_tokens: int,
        sampling: Sampling,
        seed: int | None = None,
    ) -> Completion:
        """See `Model.complete`; `prompt` is what `render` made, and steps that a policy began.

        Raises:
            ModelError: the prompt holds a half-written turn that is no list of steps.
        """
        turns, _, response_prefix = prompt.partition(_END)
        body: JsonObject = {
            "model": self.name,
            "messages": [
                _turn(**turn) for turn in self._messages(json.loads(turns), response_prefix)
            ],
            "max_tokens": max_tokens,
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
        }
        if seed is not None:
            body["seed"] = seed % 2**31
        return await self._ask(body, _last_prefix(response_prefix), stop)

    async def choose(self, prompt: str, options: Sequence[str]) -> Choice:
        """Always refused.

        Raises:
            ModelError: always.
        """
        self._refuse()

    async def close(self) -> None:
        """See `Model.close`."""
        await self._pool.close()

    def _messages(self, turns: list[Message], response_prefix: str) -> list[Message]:
        if not response_prefix:
            return turns
        numbers = [marker.number for marker in step_markers(response_prefix)]
        if not numbers or not response_prefix.startswith(step_prefix(numbers[0])):
            self._refuse()
        prefix = _last_prefix(response_prefix)
        done = response_prefix.removesuffix(prefix).strip()
        ask = f'Write the solution in numbered steps. Begin your answer with "{prefix}".'
        if not done:
            *earlier, last = turns
            content = f"{last['content']}\n\n{ask}"
            return [*earlier, {"role": last["role"], "content": content}]
        go_on = f'Go on with the solution where it stops. Begin your answer with "{prefix}".'
        return [
            *turns,
            {"role": "assistant", "content": done},
            {"role": "user", "content": go_on},
        ]

    async def _ask(self, body: JsonObject, prefix: str, stop: Sequence[str]) -> Completion:
        async def once() -> _Reply:
            async with self._pool.client() as client:
                response = await client.post("chat/completions", json=body)
            check(response)
            reply = _Reply.model_validate(decoded(response.text))
            if not reply.choices:
                raise BadReply("a reply without choices")
            return reply

        try:
            reply = await self._retry(once, server=self._url)
            reason = ended(reply.choices[0].finish_reason or "stop")
        except Refused as error:
            kind = RequestFailed if error.status in {400, 413, 422} else ModelError
            raise kind(f"{self._url}: {error}; fix: look at the server's log") from None
        except (BadReply, ValueError) as error:
            cause = " ".join(str(error).split())[:200]
            raise RequestFailed(f"{self._url}: not a chat completion ({cause})") from None
        return _completion(reply, reason, prefix, stop)

    def _refuse(self) -> NoReturn:
        raise ModelError(
            f"{self._url}: a step is judged by continuing a half-written turn and reading the "
            "probabilities of Yes and No, and /v1/chat/completions can do neither; "
            f"fix: use a server with /v1/completions: {JUDGES}; or compare with the critic "
            "baseline; more: genprm explain log-probabilities"
        )


def _turn(role: str, content: str) -> JsonObject:
    return {"role": role, "content": content}


def _last_prefix(response_prefix: str) -> str:
    """The text with which the answer must begin: the step marker at the end of the prompt."""
    numbers = [marker.number for marker in step_markers(response_prefix)]
    prefix = step_prefix(numbers[-1]) if numbers else ""
    return prefix if response_prefix.endswith(prefix) else ""


def _completion(reply: _Reply, reason: str, prefix: str, stop: Sequence[str]) -> Completion:
    text = (reply.choices[0].message.content or "").lstrip()
    if prefix:
        marker = next(step_markers(text), None)
        text = text[marker.end :] if marker and marker.start == 0 else f" {text}"
    read = Continuation(stop)
    read.feed(text.encode())
    finish = Finish.LENGTH if reason == "length" else Finish.EOS
    usage = reply.usage or _Usage()
    return Completion(
        read.text,
        Finish.STOP if read.stop is not None else finish,
        read.stop,
        tokens_in=usage.prompt_tokens or 0,
        tokens_out=usage.completion_tokens or 0,
    )
