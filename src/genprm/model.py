"""Port: a language model, in two calls and a template.

GenPRM extends a half-written assistant turn, so the port continues raw text (`complete`), and
its reward is a probability, so the port reads the next-token distribution (`choose`). That is
all an engine must do. Implementations: `genprm.models`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, Protocol, TypedDict


class Message(TypedDict):
    """One chat turn."""

    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True, slots=True)
class Sampling:
    """How the next token is drawn; defaults are the paper's (spec §2). Temperature 0 is greedy."""

    temperature: float = 0.6
    top_p: float = 0.95
    top_k: int = 20


class Finish(StrEnum):
    """Why a completion ended."""

    STOP = "stop"  # at one of the stop strings
    EOS = "eos"  # at the model's own end of turn
    LENGTH = "length"  # at max_tokens or at the end of the context


@dataclass(frozen=True, slots=True)
class Completion:
    """A continuation of a prompt.

    `text` never contains the stop string that ended it; `stop` names that string, so that every
    engine, whether it trims or not, reports the same thing.
    """

    text: str
    finish: Finish
    stop: str | None = None
    tokens_in: int = 0
    tokens_out: int = 0
    tokens_cached: int = 0  # of tokens_in, served from a prefix cache, where the engine tells


LIKELIEST = 5
"""How many of the most probable tokens a choice names, if the engine reports them."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Raw log-probabilities (over the whole vocabulary, temperature 1) of the options asked for.

    An option that the engine did not report, because it lies outside the tokens it returns, is
    absent. `likeliest` are the texts of the most probable tokens in order, if the engine reports
    them.
    """

    logprobs: Mapping[str, float]
    tokens_in: int = 0
    tokens_cached: int = 0
    likeliest: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ModelIdentity:
    """Which weights answered, through which engine. Runs record and compare it.

    Two runs with equal identities were made by the same model. A field that cannot be known is
    None (or an empty string for `engine_version`).
    """

    name: str  # what a person calls the model
    engine: str  # "openvino", "llama.cpp", "transformers", "vllm", "replay", …
    # version of the engine
    engine_version: str = ""
    weights: str | None = None  # "sha256:…" of the weights, or the id that a server reports
    template: str | None = None  # SHA-256 of the chat template with its special tokens
    # type of numbers the engine computes with, such as "float32"; it can change a verdict
    dtype: str | None = None


GREEDY = Sampling(temperature=0, top_p=1, top_k=0)
"""Always the most probable token."""


class Model(Protocol):
    """A language model behind some engine. Safe to call concurrently from one event loop."""

    @property
    def name(self) -> str:
        """The name by which users know the model."""
        ...

    @property
    def identity(self) -> ModelIdentity:
        """Which weights these are and which engine runs them; fixed once the model is loaded."""
        ...

    @property
    def context_length(self) -> int:
        """The number of tokens that a prompt and its continuation may have together."""
        ...

    def render(self, messages: Sequence[Message], *, generation_prompt: bool = False) -> str:
        """Render whole turns with the model's chat template; their contents are taken literally.

        `generation_prompt` appends the assistant marker; the released checkpoints judge without
        it (spec §2, quirk).
        """
        ...

    def literal(self, text: str) -> str:
        """`text`, changed so that no part of it is read as a control token of the model.

        Use it for what is added to a prompt without `render`: steps, generated text, the output of
        code. Text without control tokens is returned as it is; calling it twice changes nothing.
        """
        ...

    async def complete(
        self,
        prompt: str,
        *,
        stop: Sequence[str],
        max_tokens: int,
        sampling: Sampling,
        seed: int | None = None,
    ) -> Completion:
        """Continue `prompt` until a stop string, the end of turn, or `max_tokens`.

        Cancelling the call stops the generation in the engine.

        Raises:
            ContextExceeded: `prompt` leaves no room for a token.
            ModelError: the engine failed permanently.
        """
        ...

    async def choose(self, prompt: str, options: Sequence[str]) -> Choice:
        """Log-probabilities of single-token continuations: P(Yes), P(No) at the judgement.

        Raises:
            ContextExceeded, ModelError: as for `complete`.
        """
        ...

    async def close(self) -> None:
        """Release the engine. Idempotent."""
        ...


class WrappedModel:
    """Base for a model that wraps another one and passes on all calls that it does not override."""

    def __init__(self, model: Model) -> None:
        self._model = model

    @property
    def name(self) -> str:
        """That of the model behind it."""
        return self._model.name

    @property
    def identity(self) -> ModelIdentity:
        """That of the model behind it."""
        return self._model.identity

    @property
    def context_length(self) -> int:
        """That of the model behind it."""
        return self._model.context_length

    def render(self, messages: Sequence[Message], *, generation_prompt: bool = False) -> str:
        """See `Model.render`."""
        return self._model.render(messages, generation_prompt=generation_prompt)

    def literal(self, text: str) -> str:
        """See `Model.literal`."""
        return self._model.literal(text)
