"""A Hugging Face folder in process, by transformers: for any causal model, on any machine.

It is slower than vLLM, which is the better engine if it is installed, but needs only torch. On a
CPU it computes in float32, and on a GPU in the type of the weights.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from genprm.errors import InputError, MissingExtra, ModelError
from genprm.model import Choice, Completion, Sampling
from genprm.models.base import TemplatedModel
from genprm.models.chat_template import ChatTemplate
from genprm.models.engine_thread import EngineThread
from genprm.models.tokenizer_files import special_tokens
from genprm.models.weights import hash_weights, version_of


class Transformers(TemplatedModel):
    """A folder with `config.json`, `*.safetensors` and a tokenizer, behind transformers.

    At most `max_rows` requests are computed at once; more wait. `cache_gb` limits the memory of the
    prefix cache, in addition to that of running requests. `dtype` is the name of a torch type.

    Raises:
        InputError: `folder` is no causal language model, or has no chat template.
        MissingExtra: torch or transformers is not installed.
        ModelError: transformers cannot load it.
    """

    def __init__(
        self,
        folder: Path,
        *,
        name: str | None = None,
        chat_template: ChatTemplate | None = None,
        max_rows: int = 32,
        cache_gb: float = 1.0,
        dtype: str | None = None,
    ) -> None:
        _check_folder(folder)
        template = chat_template or ChatTemplate.from_folder(folder)
        model, tokenizer = _load(folder, dtype)
        from genprm.models.transformers_batch import TransformersBatch
        from genprm.models.transformers_cache import PrefixStore
        from genprm.models.transformers_requests import Text

        config = model.config.get_text_config()
        super().__init__(
            template.with_tokens(special_tokens(folder)),
            config.max_position_embeddings,
            name=name or folder.name,
            engine="transformers",
            version=version_of("transformers"),
            weights=hash_weights(folder.glob("*.safetensors")),
            dtype=str(model.dtype).removeprefix("torch."),
        )
        self._text = Text.of(self.name, tokenizer, _ends(model, tokenizer), self.context_length)
        prefixes = PrefixStore(int(cache_gb * 2**30))
        self._engine = EngineThread(
            "transformers", lambda: TransformersBatch(model, prefixes, max_rows)
        )

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
        from genprm.models.transformers_requests import Completing

        return await self._engine.run(
            Completing(
                self._text, prompt, stop=stop, max_tokens=max_tokens, sampling=sampling, seed=seed
            )
        )

    async def choose(self, prompt: str, options: Sequence[str]) -> Choice:
        """See `Model.choose`; every option is reported, however improbable."""
        from genprm.models.transformers_requests import Choosing

        return await self._engine.run(Choosing(self._text, prompt, options))

    async def close(self) -> None:
        """See `Model.close`."""
        self._engine.close()


def _check_folder(folder: Path) -> None:
    file = folder / "config.json"
    try:
        config: dict[str, Any] = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{file}: cannot read it: {error}") from None
    names = config.get("architectures") or []
    if not any("CausalLM" in str(name) or "ConditionalGeneration" in str(name) for name in names):
        raise InputError(
            f"{file}: architecture {', '.join(map(str, names)) or 'unknown'} does not write text; "
            "fix: name a causal language model"
        )
    if not any(folder.glob("*.safetensors")):
        raise InputError(f"{folder}: there is no *.safetensors; fix: convert the weights")


def _load(folder: Path, dtype: str | None) -> tuple[Any, Any]:
    try:
        import torch
        from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer
    except ImportError as error:
        raise MissingExtra(error.name or "transformers", extra="transformers") from None
    on_gpu = torch.cuda.is_available()
    wanted = dtype or ("auto" if on_gpu else "float32")
    try:
        AutoConfig.from_pretrained(folder)  # an unknown architecture is told before all else
        tokenizer = AutoTokenizer.from_pretrained(folder)
        model: Any = AutoModelForCausalLM.from_pretrained(
            folder, dtype=wanted, use_safetensors=True
        )
    except (OSError, ValueError, RuntimeError, KeyError, AttributeError) as error:
        cause = " ".join(str(error).split())[:300]
        raise ModelError(f"{folder}: transformers cannot load it: {cause}") from None
    if not tokenizer.is_fast:
        raise ModelError(f"{folder}: its tokenizer is not a fast one (tokenizer.json)")
    return model.to("cuda" if on_gpu else "cpu").eval(), tokenizer


def _ends(model: Any, tokenizer: Any) -> frozenset[int]:
    """Tokens that end a turn."""
    told = model.generation_config.eos_token_id
    if told is None:
        told = tokenizer.eos_token_id
    return frozenset(told if isinstance(told, list) else [] if told is None else [told])
