"""OpenVINO in process: the embedded default, with no server and no torch.

The model is a folder that optimum-intel or openvino-genai's converter wrote
(`openvino_model.xml`, `openvino_tokenizer.xml`, `config.json`, a chat template), or one of genprm's
own with its weights in `model.gguf`, with which GenAI gives the same verdicts as with exported
weights.
"""

import weakref
from collections.abc import Sequence
from pathlib import Path

from openvino_genai import ContinuousBatchingPipeline, SchedulerConfig, Tokenizer
from pydantic import BaseModel, ValidationError

from genprm.errors import InputError, ModelError
from genprm.gguf_header import OUR_WEIGHTS
from genprm.model import Choice, Completion, Sampling
from genprm.models.base import TemplatedModel
from genprm.models.chat_template import ChatTemplate
from genprm.models.engine_thread import EngineThread
from genprm.models.openvino_engine import PipelineBatch
from genprm.models.openvino_requests import Choosing, Completing, Text
from genprm.models.tokenizer_files import special_tokens
from genprm.models.weights import hash_weights, version_of
from genprm.records.validation import field_fault

_PRECISIONS = {"float32": "f32", "bfloat16": "bf16", "float16": "f16"}


class _Shape(BaseModel):
    """The fields of `config.json` that decide the size of the key-value cache."""

    num_attention_heads: int
    hidden_size: int
    num_hidden_layers: int
    max_position_embeddings: int
    head_dim: int | None = None
    num_key_value_heads: int | None = None


class OpenVINO(TemplatedModel):
    """A model folder behind openvino-genai's continuous batching with prefix caching.

    `cache_gb` limits the memory of the KV cache and with it the longest context; the memory is
    allocated as it is used. Beyond `max_sequences`, or if the cache is full, requests wait. The
    engine does not report what the prefix cache served, so `tokens_cached` stays 0.

    OpenVINO would compute in bfloat16 on processors that have it and in float32 on others, and
    verdicts near 0.5 would depend on the machine. `dtype` is therefore "float32" on a CPU unless
    something else is asked for; on other devices it is the engine's own choice.

    Raises:
        InputError: `folder` is not a model for OpenVINO, or `dtype` is no type of OpenVINO.
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
        prefix_caching: bool = True,
        dtype: str | None = None,
    ) -> None:
        dtype = dtype or ("float32" if device == "CPU" else None)
        properties = _properties(dtype)
        source = next((path for path in _sources(folder) if path.is_file()), None)
        if source is None:
            raise InputError(
                f"{folder}: there is no openvino_model.xml; "
                "fix: name an OpenVINO model (optimum-cli "
                "export openvino makes one of a Hugging Face folder), or serve the folder with "
                "vLLM and name http://HOST:PORT/v1"
            )
        template = chat_template or ChatTemplate.from_folder(folder)
        context_length = _context_length(folder, cache_gb)
        try:
            loaded = source if source.suffix == ".gguf" else folder
            tokenizer = Tokenizer(str(loaded))
            self._text = Text.of(name or folder.name, tokenizer, context_length)

            def build() -> PipelineBatch:
                scheduler = _scheduler(cache_gb, max_sequences, prefix_caching)
                return PipelineBatch(
                    ContinuousBatchingPipeline(
                        str(loaded), tokenizer, scheduler, device, **properties
                    )
                )

            engine = EngineThread("openvino", build)
        except RuntimeError as error:
            raise ModelError(f"{folder}: openvino cannot load it: {error}") from error
        self._engine = engine
        super().__init__(
            template.with_tokens(special_tokens(folder)),
            context_length,
            name=self._text.name,
            engine="openvino",
            version=version_of("openvino-genai"),
            weights=hash_weights(
                folder.glob(f"{source.stem}.*" if loaded == folder else source.name)
            ),
            dtype=dtype,
        )
        # also at interpreter exit: a thread inside the engine must not outlive the interpreter
        self._close = weakref.finalize(self, engine.close)

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
        request = Completing(
            self._text, prompt, stop=stop, max_tokens=max_tokens, sampling=sampling, seed=seed
        )
        return await self._engine.run(request)

    async def choose(self, prompt: str, options: Sequence[str]) -> Choice:
        """See `Model.choose`; an option outside the 20 most probable tokens is absent."""
        return await self._engine.run(Choosing(self._text, prompt, options))

    async def close(self) -> None:
        """End the engine's thread after its current step; requests that still run fail."""
        self._close()  # not in a thread of its own: none can be had while the interpreter exits


def _sources(folder: Path) -> list[Path]:
    return [folder / "openvino_model.xml", folder / OUR_WEIGHTS]


def _properties(dtype: str | None) -> dict[str, str]:
    if dtype is None:
        return {}
    if dtype not in _PRECISIONS:
        raise InputError(
            f"--engine-arg dtype={dtype}: OpenVINO does not compute with it; "
            f"fix: name one of {', '.join(_PRECISIONS)}"
        )
    return {"INFERENCE_PRECISION_HINT": _PRECISIONS[dtype]}


def _scheduler(cache_gb: int, max_sequences: int, prefix_caching: bool) -> SchedulerConfig:
    config = SchedulerConfig()
    config.cache_size = cache_gb
    config.max_num_seqs = max_sequences
    config.max_num_batched_tokens = 2048
    config.dynamic_split_fuse = True
    config.enable_prefix_caching = prefix_caching
    return config


def _context_length(folder: Path, cache_gb: int) -> int:
    """Tokens of context: what the model was made for, or what fits into an empty cache."""
    file = folder / "config.json"
    try:
        shape = _Shape.model_validate_json(file.read_bytes())
        heads = shape.num_attention_heads
        head_size = shape.head_dim or shape.hidden_size // heads
        key_values = (shape.num_key_value_heads or heads) * head_size
        bytes_per_token = 2 * shape.num_hidden_layers * key_values * 2  # keys, values; f16
        return min(shape.max_position_embeddings, cache_gb * 2**30 // bytes_per_token)
    except ValidationError as error:
        raise InputError(f"{file}: {field_fault(error)}; fix: export the model again") from None
    except (
        OSError,
        ValueError,
        TypeError,
        AttributeError,
        ArithmeticError,
        RecursionError,
    ) as error:
        cause = " ".join(str(error).split())[:200]
        raise InputError(f"{file}: cannot be used ({cause}); fix: export the model again") from None
