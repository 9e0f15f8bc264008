"""How servers with `/v1/completions` differ, one class for each.

    server      BOS in front     which stop string hit   log-probabilities
    vLLM        by a flag        `stop_reason`           of chosen token ids, exactly
    SGLang      if its tokenizer does  `matched_stop`    of chosen token ids, exactly (/generate)
    llama.cpp   if the model's   `stopping_word`         20 most probable (/completion)
    Ollama      if the model's   read as a stream        20 most probable, from 0.12.11 (/api)
    TGI         if its tokenizer does  the text's end    5 most probable (/generate)
    LM Studio   unknown          read as a stream        none: no verifier
    LiteLLM     unknown          read as a stream        5, where the provider gives them
    llama-swap  as what it runs, which is asked under `/upstream/MODEL`
    others      unknown          read as a stream        5 most probable

All but TGI trim the stop string. Servers take samplers that are not set from the model's
generation_config.json (vLLM, SGLang) or use their own defaults (llama.cpp, Ollama), so all of them
are always set, even neutral ones.
"""

from collections.abc import Mapping, Sequence
from heapq import nlargest
from typing import ClassVar

from pydantic import BaseModel, NonNegativeInt

from genprm.model import GREEDY, LIKELIEST, Choice, Completion, Sampling
from genprm.models.finish_reasons import finish_of
from genprm.models.told import Told
from genprm.records.record import JsonObject

Body = JsonObject


class _Details(BaseModel):
    cached_tokens: Told[NonNegativeInt] = 0


class NoLogprobs(Exception):
    """A reply without the log-probabilities that were asked for."""


class StopUntold(Exception):
    """A reply that ended at a stop string or the end of turn, and does not say at which."""


class _Usage(BaseModel):
    prompt_tokens: Told[NonNegativeInt] = None
    completion_tokens: Told[NonNegativeInt] = None
    prompt_tokens_details: Told[_Details] = None

    @property
    def cached(self) -> int:
        return (self.prompt_tokens_details and self.prompt_tokens_details.cached_tokens) or 0


class _ChatToken(BaseModel):
    token: str
    logprob: float


class _ChatTokens(BaseModel):
    top_logprobs: list[_ChatToken] = []


class _TopLogprobs(BaseModel):
    top_logprobs: list[dict[str, float] | None] | None = None
    content: list[_ChatTokens] | None = None  # the shape of chats, which some servers use here

    @property
    def first(self) -> dict[str, float]:
        if self.top_logprobs:
            return self.top_logprobs[0] or {}
        return {t.token: t.logprob for t in self.content[0].top_logprobs} if self.content else {}


class _Alternative(BaseModel):
    text: str
    finish_reason: str | None = None  # absent: the reply is not whole
    stop_reason: str | int | None = None  # vLLM
    matched_stop: str | int | None = None  # SGLang
    logprobs: _TopLogprobs | None = None


JUDGES = "judge by vLLM, SGLang, llama.cpp's server, TGI or Ollama from 0.12.11 on"
_STOP_FIELDS = {"stop_reason", "matched_stop"}


class _Reply(BaseModel):
    choices: list[_Alternative]
    usage: Told[_Usage] = None

    @property
    def used(self) -> _Usage:
        return self.usage or _Usage()


class Generic:
    """The OpenAI API and nothing else."""

    path: ClassVar[str] = "v1/completions"
    tells_stop: ClassVar[bool] = False
    version_routes: ClassVar[tuple[str, ...]] = ()  # those that tell the engine's version
    top: ClassVar[int] = 5
    no_logprobs: ClassVar[str] = "the server gives none; fix: " + JUDGES

    def completion_body(
        self,
        prompt: str,
        stop: Sequence[str],
        max_tokens: int,
        sampling: Sampling,
        seed: int | None,
    ) -> Body:
        """A request for `Model.complete`."""
        body = {
            "prompt": prompt,
            "max_tokens": max_tokens,
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
            "presence_penalty": 0,
            "frequency_penalty": 0,
            **self.extra(sampling),
        }
        if stop and self.tells_stop:
            body["stop"] = list(stop)
        if seed is not None:
            body["seed"] = seed % 2**31
        return body

    def choice_path(self, ids: Mapping[str, int]) -> str:
        """The path to which `choice_body` is sent."""
        return self.path

    def choice_body(self, prompt: str, ids: Mapping[str, int]) -> Body:
        """A request for `Model.choose`: one greedy token, whose log-probabilities stay raw.

        `ids` are the options' token ids, or empty if the server cannot report them.
        """
        return self.completion_body(prompt, (), 1, GREEDY, None) | {"logprobs": self.top}

    def extra(self, sampling: Sampling) -> Body:
        """Fields beyond the OpenAI API."""
        return {}

    def read_completion(self, reply: Body, stop: Sequence[str]) -> Completion:
        """The completion; `stop` are the requested stop strings.

        Raises:
            pydantic.ValidationError, IndexError: not a completion.
            StopUntold: the server should report its stop strings, but did not.
        """
        parsed = _Reply.model_validate(reply)
        found = parsed.choices[0]
        if found.finish_reason == "stop" and not found.model_fields_set & _STOP_FIELDS:
            raise StopUntold
        hit = found.stop_reason if found.stop_reason is not None else found.matched_stop
        return Completion(
            text=found.text,
            finish=finish_of(found.finish_reason, hit),
            stop=hit if isinstance(hit, str) else None,
            tokens_in=parsed.used.prompt_tokens or 0,
            tokens_out=parsed.used.completion_tokens or 0,
            tokens_cached=parsed.used.cached,
        )

    def read_piece(self, event: Body) -> tuple[str, str | None]:
        """Text and finish reason of a stream's event.

        Raises pydantic.ValidationError: it is none.
        """
        parsed = _Reply.model_validate(event)
        if not parsed.choices:  # a last event that tells the usage
            return "", None
        return parsed.choices[0].text, parsed.choices[0].finish_reason

    def read_choice(self, reply: Body, options: Sequence[str], ids: Mapping[str, int]) -> Choice:
        """Raises pydantic.ValidationError, IndexError: no completion. NoLogprobs: without them."""
        parsed = _Reply.model_validate(reply)
        logprobs = parsed.choices[0].logprobs
        tokens = logprobs.first if logprobs else {}
        if not tokens:
            raise NoLogprobs
        keys = {_token_key(option, ids): option for option in options}
        found = {keys[token]: value for token, value in tokens.items() if token in keys}
        # asked for by their ids, tokens have no text but the one that was drawn, greedily
        likeliest = (
            [parsed.choices[0].text]
            if ids
            else nlargest(LIKELIEST, tokens, lambda token: tokens[token])
        )
        used = parsed.used
        return Choice(found, used.prompt_tokens or 0, used.cached, tuple(filter(None, likeliest)))

    def tokenize_body(self, text: str) -> Body | None:
        """A request to `/tokenize` for the ids of `text`, if the server has this route."""
        return None


class VLLM(Generic):
    """vLLM: `add_special_tokens`, `logprob_token_ids`, `stop_reason`."""

    tells_stop = True
    version_routes = ("version",)
    top = 20

    def extra(self, sampling: Sampling) -> Body:
        """The prompt is rendered, so it already has its BOS; -1 means no top-k."""
        return {
            "top_k": sampling.top_k or -1,
            "min_p": 0,
            "repetition_penalty": 1,
            "add_special_tokens": False,
        }

    def choice_body(self, prompt: str, ids: Mapping[str, int]) -> Body:
        """Asks for exactly the options' tokens, however improbable, and names them by id."""
        body = super().choice_body(prompt, ids)
        if ids:
            body["logprob_token_ids"] = list(ids.values())
            body["return_tokens_as_token_ids"] = True
        return body

    def tokenize_body(self, text: str) -> Body:
        """Without a BOS."""
        return {"prompt": text, "add_special_tokens": False}


class LMStudio(Generic):
    """LM Studio: completes raw text, and gives no log-probabilities."""

    no_logprobs = "LM Studio gives none: it can write solutions, not judge; fix: " + JUDGES


class LiteLLM(Generic):
    """LiteLLM, a proxy; what it supports depends on the provider behind it."""

    no_logprobs = "the provider behind LiteLLM gives none; fix: " + JUDGES


def _token_key(option: str, ids: Mapping[str, int]) -> str:
    return f"token_id:{ids[option]}" if ids else option
