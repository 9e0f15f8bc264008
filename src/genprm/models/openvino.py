"""OpenVINO in process: the embedded default, with no server and no torch.

The model is a folder that optimum-intel or openvino-genai's converter wrote:
`openvino_model.xml`, `openvino_tokenizer.xml`, `config.json`, a chat template.
"""

import asyncio
import json
import random
import weakref
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from openvino import Tensor
from openvino_genai import (
    ContinuousBatchingPipeline,
    GenerationConfig,
    GenerationFinishReason,
    SchedulerConfig,
    Tokenizer,
)
from openvino_genai.py_openvino_genai import GenerationOutput

from genprm.errors import ContextExceeded, InputError, ModelError
from genprm.model import Choice, Completion, Finish, Message, Sampling
from genprm.models.chat_template import ChatTemplate
from genprm.models.continuation import Continuation
from genprm.models.openvino_engine import Engine, Job

TOP = 20
"""How many of the most probable tokens `choose` sees; what servers offer at most, too."""


class OpenVINO:
    """A model folder behind openvino-genai's continuous batching with prefix caching.

    `cache_gb` bounds the memory of the KV cache, and with it the longest context; it is taken as
    it is used. Beyond `max_sequences` or a full cache, requests wait.

    Raises:
        InputError: `folder` is not a model for OpenVINO.
        ModelError: the engine cannot load it.
    """

    def __init__(
        self,
        folder: Path,
        *,
        name: str | None = None,
        chat_template: ChatTemplate | None = None,
        device: str = "CPU",
        cache_gb: int = 2,
        max_sequences: int = 512,
    ) -> None:
        if not (folder / "openvino_model.xml").is_file():
            raise InputError(f"{folder}: no openvino_model.xml there; is it an OpenVINO model?")
        self._name = name or folder.name
        self._template = chat_template or ChatTemplate.from_folder(folder)
        self._context_length = _context_length(folder, cache_gb)

        try:
            self._tokenizer = tokenizer = Tokenizer(str(folder))
            self._token_bytes = _token_bytes(tokenizer)

            def build() -> ContinuousBatchingPipeline:
                scheduler = _scheduler(cache_gb, max_sequences)
                return ContinuousBatchingPipeline(str(folder), tokenizer, scheduler, device)

            engine = Engine(build)
        except RuntimeError as error:
            raise ModelError(f"{folder}: openvino cannot load it: {error}") from error
        self._engine = engine
        # also at interpreter exit: a thread inside the engine must not outlive the interpreter
        self._close = weakref.finalize(self, engine.close)

    @property
    def name(self) -> str:
        """The name given, or the folder's."""
        return self._name

    @property
    def context_length(self) -> int:
        """Tokens of context: what the model was made for, or what fits the KV cache."""
        return self._context_length

    def render(self, messages: Sequence[Message], *, generation_prompt: bool = False) -> str:
        """See `Model.render`."""
        return self._template.render(messages, generation_prompt=generation_prompt)

    async def complete(
        self,
        prompt: str,
        *,
        stop: Sequence[str],
        max_tokens: int,
        sampling: Sampling,
        seed: int | None = None,
    ) -> Completion:
        """See `Model.complete`; without a seed, a random one."""
        ids, room = self._encode(prompt)
        config = _generation(sampling, seed)
        config.max_new_tokens = min(max_tokens, room)
        reader = _CompletionReader(Continuation(stop), self._token_bytes, tokens_in=ids.size)
        return await self._engine.run(Job(ids, config, reader))

    async def choose(self, prompt: str, options: Sequence[str]) -> Choice:
        """See `Model.choose`; an option outside the `TOP` most probable tokens is absent."""
        ids, _ = self._encode(prompt)
        # A beam search of one token: the only request whose scores are the raw log-probabilities
        # of the whole vocabulary and cover more than the sampled token.
        config = GenerationConfig(
            max_new_tokens=1,
            num_beams=TOP,
            num_return_sequences=TOP,
            num_beam_groups=1,
            length_penalty=0.0,
        )
        option_ids = {self._single_token(option): option for option in options}
        return await self._engine.run(Job(ids, config, _ChoiceReader(option_ids, ids.size)))

    async def close(self) -> None:
        """End the engine's thread; requests that still run fail."""
        await asyncio.to_thread(self._close)

    def _encode(self, prompt: str) -> tuple[Tensor, int]:
        """Token ids [1, tokens] of a rendered prompt, and how many more tokens fit."""
        ids = self._tokenizer.encode(prompt, add_special_tokens=False).input_ids
        room = self._context_length - ids.size
        if room < 1:
            raise ContextExceeded(
                f"{self._name}: a prompt of {ids.size} tokens in a context of "
                f"{self._context_length}"
            )
        return ids, room

    def _single_token(self, option: str) -> int:
        ids = self._tokenizer.encode(option, add_special_tokens=False).input_ids.data
        if ids.size != 1:
            raise ModelError(f"{self._name}: {option!r} is {ids.size} tokens; `choose` needs one")
        return int(ids.item())


class _CompletionReader:
    """Tokens to text, up to a stop string."""

    def __init__(
        self, continuation: Continuation, token_bytes: Sequence[bytes], tokens_in: int
    ) -> None:
        self._continuation = continuation
        self._token_bytes = token_bytes
        self._tokens_in = tokens_in
        self._tokens_out = 0

    def read(self, outputs: Sequence[GenerationOutput]) -> Completion | None:
        for output in outputs:
            ended = output.finish_reason == GenerationFinishReason.STOP
            self._tokens_out += len(output.generated_ids)
            for token in output.generated_ids[:-1] if ended else output.generated_ids:
                if self._continuation.feed(self._token_bytes[token]):
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


class _ChoiceReader:
    """Beams of one token to the log-probabilities of the options among them."""

    def __init__(self, options: dict[int, str], tokens_in: int) -> None:
        self._options = options
        self._tokens_in = tokens_in

    def read(self, outputs: Sequence[GenerationOutput]) -> Choice | None:
        if not outputs:
            return None
        scores = {output.generated_ids[0]: output.score for output in outputs}
        logprobs = {o: scores[token] for token, o in self._options.items() if token in scores}
        return Choice(logprobs=logprobs, tokens_in=self._tokens_in)


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


def _scheduler(cache_gb: int, max_sequences: int) -> SchedulerConfig:
    config = SchedulerConfig()
    config.cache_size = cache_gb
    config.max_num_seqs = max_sequences
    config.max_num_batched_tokens = 2048
    config.dynamic_split_fuse = True
    config.enable_prefix_caching = True
    return config


def _context_length(folder: Path, cache_gb: int) -> int:
    """Tokens of context: what the model was made for, or what fits the cache alone."""
    file = folder / "config.json"
    try:
        config: dict[str, Any] = json.loads(file.read_text("utf-8"))
        heads = config["num_attention_heads"]
        head_size = config.get("head_dim") or config["hidden_size"] // heads
        key_values = config.get("num_key_value_heads", heads) * head_size
        bytes_per_token = 2 * config["num_hidden_layers"] * key_values * 2  # keys, values; f16
        return int(min(config["max_position_embeddings"], cache_gb * 2**30 // bytes_per_token))
    except (OSError, ValueError) as error:
        raise InputError(f"{file}: cannot read it: {error}") from None
    except KeyError as error:
        raise InputError(f"{file}: no field {error}") from None


def _token_bytes(tokenizer: Tokenizer) -> list[bytes]:
    """What each token adds to the text, by its id; control tokens add nothing."""
    vocabulary: dict[bytes, int] = tokenizer.get_vocab()
    pieces = [b""] * (max(vocabulary.values()) + 1)
    for piece, token in vocabulary.items():
        pieces[token] = piece
    for token, text in enumerate(tokenizer.decode([[token] for token in range(len(pieces))])):
        # a part of a character decodes to nothing, too
        if not text and _is_utf8(pieces[token]):
            pieces[token] = b""
    probe = "Let's sum:\n\n  é = 3.5 ✓"
    ids = tokenizer.encode(probe, add_special_tokens=False).input_ids.data.flatten()
    if b"".join(pieces[token] for token in ids) != probe.encode():
        raise RuntimeError("its tokenizer is not a byte-level BPE; serve it (openai:URL) instead")
    return pieces


def _is_utf8(piece: bytes) -> bool:
    try:
        piece.decode()
    except UnicodeDecodeError:
        return False
    return True
