"""The requests to an openvino-genai pipeline: a completion, a choice."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Self

from openvino import Tensor
from openvino_genai import GenerationConfig, GenerationFinishReason, Tokenizer
from openvino_genai.py_openvino_genai import GenerationOutput

from genprm.model import LIKELIEST, Choice, Completion, Finish, Sampling
from genprm.models.continuation import Continuation
from genprm.models.openvino_engine import PipelineBatch, RunningRequest
from genprm.models.option_tokens import OptionTokens
from genprm.models.text import check_room, check_text

TOP = 20
"""How many of the most probable tokens a choice sees; what servers offer at most, too."""

_PROBE = "Let's sum:\n\n  é = 3.5 ✓"


@dataclass(frozen=True, slots=True)
class Text:
    """Converts text to tokens and back, for one model."""

    name: str
    tokenizer: Tokenizer
    pieces: Mapping[int, bytes]  # what each token adds to the text, where it adds something
    context_length: int
    options: OptionTokens

    @classmethod
    def of(cls, name: str, tokenizer: Tokenizer, context_length: int) -> Self:
        """Raises RuntimeError: the tokens are no bytes of text, so it cannot be read exactly."""
        options = OptionTokens(name, partial(_ids, tokenizer))
        text = cls(name, tokenizer, _pieces(tokenizer), context_length, options)
        tokens = text.encode(_PROBE).data[0]
        if b"".join(text.pieces.get(token, b"") for token in tokens) != _PROBE.encode():
            raise RuntimeError("its tokenizer is no byte-level BPE; serve the model (openai:URL)")
        return text

    def encode(self, prompt: str) -> Tensor:
        """Token ids [1, tokens] of a rendered prompt that leaves room for another token.

        Raises:
            ContextExceeded: it does not.
            ModelError: it is not valid text, because it contains half a surrogate pair.
        """
        check_text(self.name, prompt)
        ids = self.tokenizer.encode(prompt, add_special_tokens=False).input_ids
        check_room(self.name, ids.size, self.context_length)
        return ids

    def option(self, prompt: str, option: str) -> int:
        """The id of an option that continues `prompt`; raises as `option_token`."""
        return self.options.token(prompt, option)


class Completing:
    """Completes text up to a stop string."""

    def __init__(
        self,
        text: Text,
        prompt: str,
        *,
        stop: Sequence[str],
        max_tokens: int,
        sampling: Sampling,
        seed: int | None,
    ) -> None:
        self._text = text
        self._prompt = prompt
        self._max_tokens = max_tokens
        self._generation = _generation(sampling, seed)
        self._continuation = Continuation(stop)
        self._tokens_in = 0
        self._tokens_out = 0

    def start(self, batch: PipelineBatch) -> RunningRequest[Completion]:
        """See `Request`."""
        ids = self._text.encode(self._prompt)
        self._tokens_in = ids.size
        room = self._text.context_length - ids.size
        self._generation.max_new_tokens = min(self._max_tokens, room)
        request_id = next(batch.request_ids)
        handle = batch.pipeline.add_request(request_id, ids, self._generation)
        return RunningRequest(handle, self)

    def read(self, outputs: Sequence[GenerationOutput]) -> Completion | None:
        """See `Reader`."""
        for output in outputs:
            ended = output.finish_reason == GenerationFinishReason.STOP
            self._tokens_out += len(output.generated_ids)
            for token in output.generated_ids[:-1] if ended else output.generated_ids:
                if self._continuation.feed(self._text.pieces.get(token, b"")):
                    return self._completion(Finish.STOP)
            if ended:  # the last token is the end of turn
                return self._completion(Finish.EOS)
            if output.finish_reason == GenerationFinishReason.LENGTH:
                return self._completion(Finish.LENGTH)
        return None

    def _completion(self, finish: Finish) -> Completion:
        return Completion(
            text=self._continuation.text,
            finish=finish,
            stop=self._continuation.stop,
            tokens_in=self._tokens_in,
            tokens_out=self._tokens_out,
        )


class Choosing:
    """A beam search of one token.

    It is the only request whose scores are the raw log-probabilities over the whole vocabulary
    and cover more than the sampled token.
    """

    def __init__(self, text: Text, prompt: str, options: Sequence[str]) -> None:
        self._text = text
        self._prompt = prompt
        self._options = options
        self._ids: dict[str, int] = {}
        self._tokens_in = 0

    def start(self, batch: PipelineBatch) -> RunningRequest[Choice]:
        """See `Request`."""
        ids = self._text.encode(self._prompt)
        self._ids = {option: self._text.option(self._prompt, option) for option in self._options}
        self._tokens_in = ids.size
        generation = GenerationConfig(
            max_new_tokens=1,
            num_beams=TOP,
            num_return_sequences=TOP,
            num_beam_groups=1,
            length_penalty=0.0,
        )
        handle = batch.pipeline.add_request(next(batch.request_ids), ids, generation)
        return RunningRequest(handle, self)

    def read(self, outputs: Sequence[GenerationOutput]) -> Choice | None:
        """See `Reader`."""
        if not outputs:
            return None
        scores = {output.generated_ids[0]: output.score for output in outputs}
        found = {option: scores[token] for option, token in self._ids.items() if token in scores}
        likeliest = sorted(scores, key=scores.__getitem__, reverse=True)[:LIKELIEST]
        texts = (
            self._text.pieces.get(token, b"").decode("utf-8", "replace") for token in likeliest
        )
        return Choice(found, self._tokens_in, likeliest=tuple(texts))


def _generation(sampling: Sampling, seed: int | None) -> GenerationConfig:
    config = GenerationConfig()
    if sampling.temperature > 0:
        config.do_sample = True
        config.temperature = sampling.temperature
        config.top_p = sampling.top_p
        if sampling.top_k > 0:
            config.top_k = sampling.top_k
        # the engine's own default is the same seed for every request
        config.rng_seed = random.getrandbits(32) if seed is None else seed % 2**32
    return config


def _ids(tokenizer: Tokenizer, text: str) -> list[int]:
    ids = tokenizer.encode(text, add_special_tokens=False).input_ids
    return [int(token) for token in ids.data[0]]


def _pieces(tokenizer: Tokenizer) -> dict[int, bytes]:
    pieces: dict[int, bytes] = {token: piece for piece, token in tokenizer.get_vocab().items()}
    texts = tokenizer.decode([[token] for token in pieces])
    # control tokens decode to nothing; but so does a part of a character, which is text
    return {
        token: piece
        for (token, piece), text in zip(pieces.items(), texts, strict=True)
        if text or not _is_utf8(piece)
    }


def _is_utf8(piece: bytes) -> bool:
    try:
        piece.decode()
    except UnicodeDecodeError:
        return False
    return True
