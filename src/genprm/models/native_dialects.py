"""Servers with routes of their own that report more than `/v1/completions` does."""

from collections.abc import Mapping, Sequence

from pydantic import BaseModel

from genprm.http import BadReply
from genprm.model import GREEDY, LIKELIEST, Choice, Completion, Finish, Sampling
from genprm.models.openai_dialects import JUDGES, Body, Generic, NoLogprobs


class _LlamaToken(BaseModel):
    top_logprobs: list["_LlamaLogprob"]


class _LlamaLogprob(BaseModel):
    id: int = -1
    token: str
    logprob: float


class _LlamaTimings(BaseModel):
    cache_n: int = 0


class _LlamaReply(BaseModel):
    content: str
    stop_type: str
    stopping_word: str = ""
    tokens_evaluated: int = 0
    tokens_predicted: int = 0
    timings: _LlamaTimings = _LlamaTimings()
    completion_probabilities: list[_LlamaToken] = []


class LlamaCpp(Generic):
    """llama.cpp, through its own `/completion`, which reports the stop string that was hit."""

    path = "completion"
    tells_stop = True
    top = 20

    def extra(self, sampling: Sampling) -> Body:
        """Only the samplers that every engine has, in the order that all engines use."""
        return {
            "top_k": sampling.top_k,
            "min_p": 0,
            "repeat_penalty": 1,
            "samplers": ["temperature", "top_k", "top_p"],
            "cache_prompt": True,
        }

    def choice_body(self, prompt: str, ids: Mapping[str, int]) -> Body:
        """Log-probabilities before sampling, which are raw."""
        return super().choice_body(prompt, ids) | {
            "n_probs": self.top,
            "post_sampling_probs": False,
        }

    def read_completion(self, reply: Body, stop: Sequence[str]) -> Completion:
        """Raises pydantic.ValidationError: not a completion."""
        parsed = _LlamaReply.model_validate(reply)
        finish = {"word": Finish.STOP, "eos": Finish.EOS}.get(parsed.stop_type, Finish.LENGTH)
        return Completion(
            text=parsed.content,
            finish=finish,
            stop=parsed.stopping_word if finish is Finish.STOP else None,
            tokens_in=parsed.tokens_evaluated,
            tokens_out=parsed.tokens_predicted,
            tokens_cached=parsed.timings.cache_n,
        )

    def read_choice(self, reply: Body, options: Sequence[str], ids: Mapping[str, int]) -> Choice:
        """Raises pydantic.ValidationError: not a completion. NoLogprobs: without them."""
        parsed = _LlamaReply.model_validate(reply)
        if not parsed.completion_probabilities:
            raise NoLogprobs
        alternatives = parsed.completion_probabilities[0].top_logprobs
        keys = {ids.get(option, option): option for option in options}
        found = {
            keys[key]: a.logprob
            for a in alternatives
            for key in (a.id if ids else a.token,)
            if key in keys
        }
        best = tuple(a.token for a in alternatives[:LIKELIEST])
        return Choice(found, parsed.tokens_evaluated, parsed.timings.cache_n, best)

    def tokenize_body(self, text: str) -> Body:
        """Without a BOS; control tokens are read as such."""
        return {"content": text, "add_special": False, "parse_special": True}


class _SGLangFinish(BaseModel):
    type: str


class _SGLangMeta(BaseModel):
    output_token_ids_logprobs: list[list[tuple[float, int, str | None]] | None] | None = None
    prompt_tokens: int = 0
    cached_tokens: int | None = 0
    finish_reason: _SGLangFinish | None = None


class _SGLangReply(BaseModel):
    text: str = ""
    meta_info: _SGLangMeta


class SGLang(Generic):
    """SGLang: `matched_stop`; its own `/generate` scores the tokens that it is given."""

    tells_stop = True
    version_routes = ("get_server_info", "server_info")
    top = 20

    def extra(self, sampling: Sampling) -> Body:
        """-1 is no top-k."""
        return {"top_k": sampling.top_k or -1, "min_p": 0, "repetition_penalty": 1}

    def choice_path(self, ids: Mapping[str, int]) -> str:
        """Its own route if the token ids are known."""
        return "generate" if ids else self.path

    def choice_body(self, prompt: str, ids: Mapping[str, int]) -> Body:
        """Asks for exactly the options' tokens, however improbable."""
        if not ids:
            return super().choice_body(prompt, ids)
        return {
            "text": prompt,
            "sampling_params": {"max_new_tokens": 1, "temperature": 0},
            "return_logprob": True,
            "logprob_start_len": -1,
            "token_ids_logprob": list(ids.values()),
        }

    def read_choice(self, reply: Body, options: Sequence[str], ids: Mapping[str, int]) -> Choice:
        """Match by token id, not by position, since the server may answer in another order."""
        if not ids:
            return super().read_choice(reply, options, ids)
        parsed = _SGLangReply.model_validate(reply)
        meta = parsed.meta_info
        if meta.finish_reason is not None and meta.finish_reason.type == "abort":
            raise BadReply("the server gave up (finish_reason 'abort')")
        scored = (meta.output_token_ids_logprobs or [None])[0]
        if not scored:
            raise NoLogprobs
        by_id = {token: value for value, token, _ in scored}
        found = {option: by_id[token] for option, token in ids.items() if token in by_id}
        drawn = (parsed.text,) if parsed.text else ()  # greedily, so the likeliest token
        return Choice(found, meta.prompt_tokens, meta.cached_tokens or 0, drawn)

    def tokenize_body(self, text: str) -> Body:
        """Without a BOS."""
        return {"prompt": text, "add_special_tokens": False}


class _OllamaToken(BaseModel):
    top_logprobs: list[_LlamaLogprob] = []


class _OllamaReply(BaseModel):
    response: str = ""
    done: bool = False
    done_reason: str | None = None
    prompt_eval_count: int = 0
    logprobs: list[_OllamaToken] | None = None


class Ollama(Generic):
    """Ollama, through `/api/generate` with `raw`; `/v1/completions` would apply a template.

    `context` is sent with every request, because Ollama cuts a longer prompt at its beginning.
    """

    path = "api/generate"
    top = 20
    no_logprobs = "this version of Ollama gives none; fix: Ollama 0.12.11 or later, or " + JUDGES

    def __init__(self, context: int = 8192) -> None:
        self._context = context

    def completion_body(
        self,
        prompt: str,
        stop: Sequence[str],
        max_tokens: int,
        sampling: Sampling,
        seed: int | None,
    ) -> Body:
        """Stop strings are not sent, because the server would not report which one was hit."""
        options: Body = {
            "num_predict": max_tokens,
            "num_ctx": self._context,
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
            "top_k": sampling.top_k,
            "min_p": 0,
            "repeat_penalty": 1,
            "presence_penalty": 0,
            "frequency_penalty": 0,
        }
        if seed is not None:
            options["seed"] = seed % 2**31
        return {
            "prompt": prompt,
            "raw": True,
            "stream": False,
            "truncate": False,
            "shift": False,
            "max_tokens": max_tokens,  # unknown to Ollama; bounds the stream here
            "options": options,
        }

    def choice_body(self, prompt: str, ids: Mapping[str, int]) -> Body:
        """One greedy token with its alternatives."""
        body = self.completion_body(prompt, (), 1, GREEDY, None)
        return body | {"logprobs": True, "top_logprobs": self.top}

    def read_piece(self, event: Body) -> tuple[str, str | None]:
        """A line of the stream."""
        parsed = _OllamaReply.model_validate(event)
        return parsed.response, (parsed.done_reason or "stop") if parsed.done else None

    def read_choice(self, reply: Body, options: Sequence[str], ids: Mapping[str, int]) -> Choice:
        """Match by the token's text."""
        parsed = _OllamaReply.model_validate(reply)
        if not parsed.logprobs:
            raise NoLogprobs
        told = {entry.token: entry.logprob for entry in parsed.logprobs[0].top_logprobs}
        found = {option: told[option] for option in options if option in told}
        return Choice(found, parsed.prompt_eval_count, likeliest=tuple(told)[:LIKELIEST])
