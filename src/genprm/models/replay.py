"""Recorded transcripts as a model: demos and tests without an engine, the same every time.

The file is JSON Lines. The first row describes the model, each other row one call:

    {"model": "GenPRM-7B", "context_length": 32768, "chat_template": "...", "bos_token": "<s>"}
    {"prompt": "...", "stop": ["</analyze>\\n"], "seed": 7,
     "completion": {"text": "...", "finish": "stop", "stop": "</analyze>\\n"}}
    {"prompt_sha256": "...", "choice": {"logprobs": {"Yes": -0.01, "No": -4.6}}}

Without a `chat_template` the built-in one applies. A row may hold the prompt or only its hash.
"""

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path
from typing import Self, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from genprm.errors import InputError, ModelError
from genprm.model import Choice, Completion, Model, Sampling, WrappedModel
from genprm.models.base import TemplatedModel
from genprm.models.chat_template import ChatTemplate
from genprm.models.weights import hash_weights
from genprm.records.validation import first_fault


class _Header(BaseModel):
    model_config = ConfigDict(extra="forbid")

    model: str
    context_length: int = 32768
    chat_template: str | None = None
    bos_token: str = ""
    eos_token: str = ""


class _Call(BaseModel):
    model_config = ConfigDict(extra="forbid")

    prompt: str | None = None
    prompt_sha256: str = ""
    stop: tuple[str, ...] = ()
    seed: int | None = None
    completion: Completion | None = None
    choice: Choice | None = None

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if (self.completion is None) == (self.choice is None):
            raise ValueError("needs `completion` or `choice`")
        if self.prompt is not None:
            self.prompt_sha256 = _hash(self.prompt)
        if not self.prompt_sha256:
            raise ValueError("needs `prompt` or `prompt_sha256`")
        return self


class Replay(TemplatedModel):
    """Answers each prompt with what was recorded for it.

    If several completions of one prompt were recorded, the one with the same seed is used, or
    otherwise one that the seed picks; the choice never depends on the order of calls.

    Raises:
        InputError: the file is missing, or a row is not as described above.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        lines = _lines(file)
        header = _parse(_Header, file, 1, lines[0] if lines else "")
        super().__init__(
            _template(header),
            header.context_length,
            name=header.model,
            engine="replay",
            weights=hash_weights([file]),  # the recording stands for them
        )
        self._completions: dict[tuple[str, tuple[str, ...]], list[_Call]] = defaultdict(list)
        self._choices: dict[str, Choice] = {}
        for number, line in enumerate(lines[1:], start=2):
            call = _parse(_Call, file, number, line)
            if call.choice is not None:
                self._choices[call.prompt_sha256] = call.choice
            else:
                self._completions[call.prompt_sha256, call.stop].append(call)

    async def complete(
        self,
        prompt: str,
        *,
        stop: Sequence[str],
        max_tokens: int,
        sampling: Sampling,
        seed: int | None = None,
    ) -> Completion:
        """The completion recorded for this prompt, these stop strings and, if it is there, seed.

        Raises:
            ModelError: nothing was recorded for them.
        """
        calls = self._completions.get((_hash(prompt), tuple(stop)))
        if not calls:
            raise self._miss("completion", prompt)
        same_seed = [call for call in calls if call.seed == seed]
        call = same_seed[0] if same_seed else calls[(seed or 0) % len(calls)]
        assert call.completion is not None
        return call.completion

    async def choose(self, prompt: str, options: Sequence[str]) -> Choice:
        """The choice recorded for this prompt.

        Raises:
            ModelError: nothing was recorded for it.
        """
        choice = self._choices.get(_hash(prompt))
        if choice is None:
            raise self._miss("choice", prompt)
        logprobs = {o: value for o, value in choice.logprobs.items() if o in options}
        return Choice(logprobs, choice.tokens_in, choice.tokens_cached)

    async def close(self) -> None:
        """Nothing to release."""

    def _miss(self, what: str, prompt: str) -> ModelError:
        return ModelError(f"{self._file}: no {what} recorded for the prompt …{prompt[-80:]!r}")


class Recorder(WrappedModel):
    """Passes calls on to `model` and writes each answer for `Replay`, in order of arrival.

    `chat_template` is the one that `model` renders with.
    """

    def __init__(self, model: Model, file: Path, *, chat_template: ChatTemplate) -> None:
        super().__init__(model)
        self._file = file.open("w", encoding="utf-8")
        self._write(
            model=model.name,
            context_length=model.context_length,
            chat_template=chat_template.source,
            **chat_template.tokens,
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
        completion = await self._model.complete(
            prompt, stop=stop, max_tokens=max_tokens, sampling=sampling, seed=seed
        )
        self._write(
            prompt_sha256=_hash(prompt), stop=stop, seed=seed, completion=asdict(completion)
        )
        return completion

    async def choose(self, prompt: str, options: Sequence[str]) -> Choice:
        """See `Model.choose`."""
        choice = await self._model.choose(prompt, options)
        self._write(prompt_sha256=_hash(prompt), choice=asdict(choice))
        return choice

    async def close(self) -> None:
        """Close the file and the model."""
        self._file.close()
        await self._model.close()

    def _write(self, **row: object) -> None:
        self._file.write(json.dumps(row, ensure_ascii=False) + "\n")
        self._file.flush()


Row = TypeVar("Row", bound=BaseModel)


def _lines(file: Path) -> list[str]:
    try:
        return [line for line in file.read_text("utf-8").split("\n") if line]
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{file}: cannot read it: {error}") from None


def _parse(kind: type[Row], file: Path, number: int, line: str) -> Row:
    try:
        return kind.model_validate_json(line)
    except ValidationError as error:
        raise InputError(f"{file}, line {number}: {first_fault(error)}") from None


def _template(header: _Header) -> ChatTemplate:
    if header.chat_template is None:
        return ChatTemplate.r1_distill_qwen()
    return ChatTemplate(
        header.chat_template, bos_token=header.bos_token, eos_token=header.eos_token
    )


def _hash(text: str) -> str:
    return sha256(text.encode()).hexdigest()
