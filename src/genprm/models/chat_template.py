"""Chat templates: from whole turns to the prompt that a checkpoint was trained on.

A template is code that came with a download. It is run in a separate process with limits on time,
memory and length, and tried once when it is read. Templates of this package run in this process.
The built-in one belongs to DeepSeek-R1-Distill-Qwen, the base of the released GenPRM
checkpoints (MIT, as distributed with llama.cpp).
"""

import copy
from collections.abc import Iterable, Sequence
from functools import partial
from hashlib import sha256
from importlib import resources
from pathlib import Path
from typing import Self

import jinja2
from pydantic import JsonValue

from genprm.control_tokens import ControlTokens
from genprm.errors import InputError, ModelError
from genprm.model import Message
from genprm.models import template_process, template_program
from genprm.models.role_markers import markers_of, probe, role_markers
from genprm.models.template_program import TemplateFault
from genprm.models.tokenizer_files import (
    named_token,
    read_text,
    special_tokens,
    tokenizer_config,
)
from genprm.records.record import JsonObject

_PACKAGE = Path(__file__).resolve().parent.parent


class ChatTemplate:
    """A compiled template with the special tokens that it uses."""

    def __init__(
        self,
        source: str,
        *,
        bos_token: str = "",
        eos_token: str = "",
        special_tokens: Iterable[str] = (),
        origin: str = "<string>",
        trusted: bool = False,
    ) -> None:
        """`special_tokens` are the known special tokens of the tokenizer.

        `trusted` templates are part of this package.

        Raises:
            InputError: it is not a template, or it fails on the simplest chat.
        """
        self.source = source
        self.tokens = {"bos_token": bos_token, "eos_token": eos_token}
        self.origin = origin
        self._run = template_program.render if trusted else template_process.render
        try:
            special = {*special_tokens, *markers_of(source), bos_token, eos_token}
            rendered = probe(partial(self._rendered, generation_prompt=True))
        except jinja2.TemplateSyntaxError as error:
            raise InputError(
                f"{origin}, line {error.lineno}: {error.message}; "
                "fix: name another with --chat-template FILE"
            ) from None
        except TemplateFault as fault:
            fix = "" if "fix:" in str(fault) else "; fix: name the model's own with --chat-template"
            raise InputError(f"{origin}: the chat template fails: {fault}{fix}") from None
        except Exception as error:  # noqa: BLE001 - such as nesting too deep
            raise InputError(
                f"{origin}: this is not a chat template ({type(error).__name__}); "
                "fix: name one with --chat-template FILE"
            ) from None
        self._special = frozenset(special)
        self._roles = role_markers(rendered, ControlTokens(special).removed)
        self.literal = ControlTokens(special, self._roles).literal

    def with_tokens(self, special_tokens: Iterable[str]) -> Self:
        """The same template with the engine's special tokens, which no text may contain either."""
        twin = copy.copy(self)
        twin._special = self._special | frozenset(special_tokens)
        if twin._special != self._special:
            twin.literal = ControlTokens(twin._special, self._roles).literal
        return twin

    @classmethod
    def from_folder(cls, folder: Path) -> Self:
        """The template of a model folder, as transformers and optimum lay it out.

        Raises:
            InputError: the folder holds no template, or one that cannot be read.
        """
        config = tokenizer_config(folder)
        file = folder / "chat_template.jinja"
        if file.is_file():
            return cls._of(file, read_text(file), config, folder)
        embedded = config.get("chat_template")
        if isinstance(embedded, list):  # several named templates
            embedded = _default_template(embedded)
        if not isinstance(embedded, str):
            raise InputError(
                f"{folder}: there is no chat template (chat_template.jinja, or `chat_template` in "
                "tokenizer_config.json); fix: name one with --chat-template FILE; "
                "more: genprm explain chat-template"
            )
        return cls._of(folder / "tokenizer_config.json", embedded, config, folder)

    @classmethod
    def from_path(cls, path: Path) -> Self:
        """The template of a model folder or a file; the config beside it gives special tokens."""
        if path.is_dir():
            return cls.from_folder(path)
        return cls._of(path, read_text(path), tokenizer_config(path.parent), path.parent)

    @classmethod
    def r1_distill_qwen(cls) -> Self:
        """The built-in template of the released GenPRM checkpoints."""
        file = resources.files("genprm.models") / "r1_distill_qwen.jinja"
        return cls(
            file.read_text("utf-8"),
            bos_token="<｜begin▁of▁sentence｜>",
            eos_token="<｜end▁of▁sentence｜>",
            origin="r1_distill_qwen.jinja",
            trusted=True,
        )

    @classmethod
    def _of(cls, file: Path, source: str, config: JsonObject, folder: Path) -> Self:
        return cls(
            source,
            bos_token=named_token(config, "bos_token"),
            eos_token=named_token(config, "eos_token"),
            special_tokens=special_tokens(folder),
            origin=str(file),
            trusted=folder.resolve().is_relative_to(_PACKAGE),
        )

    @property
    def sha256(self) -> str:
        """Hash of the source and of the special tokens with which it is rendered."""
        parts = [self.source, self.tokens["bos_token"], self.tokens["eos_token"]]
        return sha256("\0".join(parts).encode()).hexdigest()

    def render(self, messages: Sequence[Message], *, generation_prompt: bool = False) -> str:
        """The prompt for `messages`; their contents can't be control tokens. See `Model.render`.

        Raises:
            ModelError: the template refuses these turns, fails on them, or does not end.
        """
        plain: list[Message] = [
            {"role": turn["role"], "content": self.literal(turn["content"])} for turn in messages
        ]
        try:
            return self._rendered(plain, generation_prompt=generation_prompt)
        except TemplateFault as fault:
            raise ModelError(f"{self.origin}: {fault}") from None

    def _rendered(self, messages: Sequence[Message], *, generation_prompt: bool) -> str:
        return self._run(self.source, self.tokens, messages, generation_prompt=generation_prompt)


def _default_template(named: Sequence[JsonValue]) -> JsonValue:
    entries = [entry for entry in named if isinstance(entry, dict)]
    return next((e.get("template") for e in entries if e.get("name") == "default"), None)
