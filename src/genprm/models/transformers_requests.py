"""The requests to a transformers model: a completion, a choice."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Generic, Self, TypeVar

import torch
from tokenizers.decoders import DecodeStream
from torch import Tensor

from genprm.errors import RequestFailed
from genprm.model import LIKELIEST, Choice, Completion, Finish, Sampling
from genprm.models.continuation import Continuation
from genprm.models.option_tokens import OptionTokens
from genprm.models.text import check_room, check_text
from genprm.models.transformers_batch import BatchSequence, TransformersBatch

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Text:
    """Converts text to tokens and back, for one model."""

    name: str
    tokenizer: "PreTrainedTokenizerBase"
    ends: frozenset[int]
    context_length: int
    options: OptionTokens

    @classmethod
    def of(
        cls,
        name: str,
        tokenizer: "PreTrainedTokenizerBase",
        ends: frozenset[int],
        context_length: int,
    ) -> Self:
        """A text converter that remembers the options it has looked up."""
        options = OptionTokens(name, partial(_ids, tokenizer))
        return cls(name, tokenizer, ends, context_length, options)

    def encode(self, prompt: str) -> list[int]:
        """Token ids of a rendered prompt that leaves room for another token.

        Raises:
            ContextExceeded: it does not.
            RequestFailed: it is empty or not valid text.
        """
        check_text(self.name, prompt)
        ids = _ids(self.tokenizer, prompt)
        if not ids:
            raise RequestFailed(f"{self.name}: an empty prompt")
        check_room(self.name, len(ids), self.context_length)
        return ids

    def option(self, prompt: str, option: str) -> int:
        """The id of an option that continues `prompt`; raises as `option_token`."""
        return self.options.token(prompt, option)


def _ids(tokenizer: "PreTrainedTokenizerBase", text: str) -> list[int]:
    ids: list[int] = tokenizer.encode(text, add_special_tokens=False)
    return ids


class _Running(Generic[T]):
    """A request in the batch."""

    def __init__(self, row: BatchSequence, outcome: Callable[[BatchSequence], T]) -> None:
        self._row = row
        self._outcome = outcome

    def result(self) -> T | None:
        """See `Running.result`."""
        if self._row.fault is not None:
            raise self._row.fault
        return self._outcome(self._row) if self._row.is_over else None

    def cancel(self) -> None:
        """See `Running.cancel`."""
        self._row.is_over = True


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
        self._sampling = sampling
        self._continuation = Continuation(stop)
        self._generator = torch.Generator()
        self._generator.manual_seed(random.getrandbits(32) if seed is None else seed % 2**63)
        self._tokens_out = 0
        self._finish: Finish | None = None

    def start(self, batch: TransformersBatch) -> _Running[Completion]:
        """See `Request.start`."""
        ids = self._text.encode(self._prompt)
        self._tokens_in = len(ids)
        self._max_tokens = min(self._max_tokens, self._text.context_length - len(ids))
        self._decoding = DecodeStream(ids=ids, skip_special_tokens=True)
        row = BatchSequence(ids, self)
        batch.add(row)
        return _Running(row, self.outcome)

    def read(self, logits: Tensor) -> int | None:
        """See `Reader.read`."""
        token = draw(logits, self._sampling, self._generator)
        self._tokens_out += 1
        if token in self._text.ends:
            self._finish = Finish.EOS
            return None
        piece = self._decoding.step(self._text.tokenizer.backend_tokenizer, token)
        if piece and self._continuation.feed(piece.encode()):
            self._finish = Finish.STOP
        elif self._tokens_out >= self._max_tokens:
            self._finish = Finish.LENGTH
        return token if self._finish is None else None

    def outcome(self, row: BatchSequence) -> Completion:
        """What the sequence came to."""
        return Completion(
            self._continuation.text,
            self._finish or Finish.LENGTH,
            self._continuation.stop,
            tokens_in=self._tokens_in,
            tokens_out=self._tokens_out,
            tokens_cached=row.tokens_cached,
        )


class Choosing:
    """Reads the exact log-probabilities of the next token."""

    def __init__(self, text: Text, prompt: str, options: Sequence[str]) -> None:
        self._text = text
        self._prompt = prompt
        self._options = options
        self._logprobs: dict[str, float] = {}
        self._likeliest: tuple[str, ...] = ()

    def start(self, batch: TransformersBatch) -> _Running[Choice]:
        """See `Request.start`."""
        ids = self._text.encode(self._prompt)
        self._ids = {o: self._text.option(self._prompt, o) for o in self._options}
        self._tokens_in = len(ids)
        row = BatchSequence(ids, self)
        batch.add(row)
        return _Running(row, self.outcome)

    def read(self, logits: Tensor) -> None:
        """See `Reader.read`."""
        logprobs = logits.log_softmax(-1)
        self._logprobs = {option: float(logprobs[token]) for option, token in self._ids.items()}
        best = logprobs.topk(min(LIKELIEST, logprobs.numel())).indices.tolist()
        self._likeliest = tuple(self._text.tokenizer.batch_decode([[token] for token in best]))

    def outcome(self, row: BatchSequence) -> Choice:
        """What the sequence came to."""
        return Choice(self._logprobs, self._tokens_in, row.tokens_cached, self._likeliest)


def draw(logits: Tensor, sampling: Sampling, generator: torch.Generator) -> int:
    """A token by temperature, then top-k, then top-p; greedy at temperature 0."""
    if sampling.temperature <= 0:
        return int(logits.argmax())
    scores = logits.cpu() / sampling.temperature
    count = min(sampling.top_k or scores.numel(), scores.numel())
    values, tokens = scores.topk(count)  # descending
    shares = values.softmax(-1)
    before = shares.cumsum(-1) - shares
    shares[before > sampling.top_p] = 0
    return int(tokens[torch.multinomial(shares, 1, generator=generator)])
