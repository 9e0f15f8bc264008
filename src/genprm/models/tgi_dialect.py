"""Text Generation Inference, through its own route, which returns log-probabilities."""

from collections.abc import Mapping, Sequence
from typing import ClassVar

from pydantic import BaseModel

from genprm.http import BadReply
from genprm.model import GREEDY, LIKELIEST, Choice, Completion, Sampling
from genprm.models.finish_reasons import finish_of
from genprm.models.openai_dialects import Body, Generic, NoLogprobs


class _TGIToken(BaseModel):
    id: int
    text: str
    logprob: float


class _TGIDetails(BaseModel):
    finish_reason: str
    generated_tokens: int = 0
    top_tokens: list[list[_TGIToken]] | None = None


class _TGIReply(BaseModel):
    generated_text: str
    details: _TGIDetails


class TGI(Generic):
    """Text Generation Inference, through its own `/generate`, which returns log-probabilities."""

    path = "generate"
    tells_stop = True
    top: ClassVar[int] = 5  # its --max-top-n-tokens, unless set otherwise

    def completion_body(
        self,
        prompt: str,
        stop: Sequence[str],
        max_tokens: int,
        sampling: Sampling,
        seed: int | None,
    ) -> Body:
        """A request without neutral values of samplers, which the server refuses."""
        return {"inputs": prompt, "parameters": _parameters(stop, max_tokens, sampling, seed)}

    def choice_body(self, prompt: str, ids: Mapping[str, int]) -> Body:
        """One greedy token with its alternatives."""
        parameters = _parameters((), 1, GREEDY, None) | {"top_n_tokens": self.top}
        return {"inputs": prompt, "parameters": parameters}

    def read_completion(self, reply: Body, stop: Sequence[str]) -> Completion:
        """The server does not trim the stop string, so the end of the text shows which was hit."""
        parsed = _TGIReply.model_validate(reply)
        hit = None
        if parsed.details.finish_reason == "stop_sequence":
            hits = [text for text in stop if parsed.generated_text.endswith(text)]
            hit = max(hits, key=len, default=None)
            if hit is None:
                raise BadReply("it stopped at a stop string, and the text ends with none")
        finish = finish_of(parsed.details.finish_reason, hit)
        text = parsed.generated_text.removesuffix(hit or "")
        return Completion(text, finish, hit, tokens_out=parsed.details.generated_tokens)

    def read_choice(self, reply: Body, options: Sequence[str], ids: Mapping[str, int]) -> Choice:
        """Match by the token's text."""
        details = _TGIReply.model_validate(reply).details
        if not details.top_tokens:
            raise NoLogprobs
        told = {token.text: token.logprob for token in details.top_tokens[0]}
        found = {option: told[option] for option in options if option in told}
        return Choice(found, likeliest=tuple(told)[:LIKELIEST])


def _parameters(stop: Sequence[str], max_tokens: int, sampling: Sampling, seed: int | None) -> Body:
    parameters: Body = {"max_new_tokens": max_tokens, "details": True, "do_sample": False}
    if sampling.temperature > 0:
        parameters |= {"do_sample": True, "temperature": sampling.temperature}
        parameters |= {"top_p": sampling.top_p} if sampling.top_p < 1 else {}
        parameters |= {"top_k": sampling.top_k} if sampling.top_k > 0 else {}
    if stop:
        parameters["stop"] = list(stop)
    if seed is not None:
        parameters["seed"] = seed % 2**31
    return parameters
