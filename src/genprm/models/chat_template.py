"""Chat templates: whole turns to the prompt that a checkpoint was trained on.

Rendered as transformers renders them, in a sandbox, since a template is code that came with a
download. The built-in one belongs to DeepSeek-R1-Distill-Qwen, the base of the released GenPRM
checkpoints (MIT, as distributed with llama.cpp).
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from importlib import resources
from pathlib import Path
from typing import Any, NoReturn, Self

import jinja2
import jinja2.ext
from jinja2.sandbox import ImmutableSandboxedEnvironment

from genprm.errors import InputError, ModelError
from genprm.model import Message


class ChatTemplate:
    """A compiled template with the special tokens that it names."""

    def __init__(
        self, source: str, *, bos_token: str = "", eos_token: str = "", origin: str = "<string>"
    ) -> None:
        try:
            self._template = _environment().from_string(source)
        except jinja2.TemplateSyntaxError as error:
            raise InputError(f"{origin}, line {error.lineno}: {error.message}") from None
        self.source = source
        self.tokens = {"bos_token": bos_token, "eos_token": eos_token}
        self._origin = origin

    @classmethod
    def from_folder(cls, folder: Path) -> Self:
        """The template of a model folder, as transformers and optimum lay it out.

        Raises:
            InputError: the folder holds no template, or one that cannot be read.
        """
        config = _tokenizer_config(folder)
        file = folder / "chat_template.jinja"
        if file.is_file():
            return cls._of(file, _read(file), config)
        embedded = config.get("chat_template")
        if isinstance(embedded, list):  # several named templates
            embedded = {entry["name"]: entry["template"] for entry in embedded}.get("default")
        if not isinstance(embedded, str):
            raise InputError(
                f"{folder}: no chat template (chat_template.jinja, or `chat_template` in "
                "tokenizer_config.json); fix: --chat-template FILE"
            )
        return cls._of(folder / "tokenizer_config.json", embedded, config)

    @classmethod
    def from_path(cls, path: Path) -> Self:
        """A model folder, or a template file; special tokens come from the config beside it."""
        if path.is_dir():
            return cls.from_folder(path)
        return cls._of(path, _read(path), _tokenizer_config(path.parent))

    @classmethod
    def r1_distill_qwen(cls) -> Self:
        """The built-in template of the released GenPRM checkpoints."""
        file = resources.files("genprm.models") / "r1_distill_qwen.jinja"
        return cls(
            file.read_text("utf-8"),
            bos_token="<｜begin▁of▁sentence｜>",
            eos_token="<｜end▁of▁sentence｜>",
            origin="r1_distill_qwen.jinja",
        )

    @classmethod
    def _of(cls, file: Path, source: str, config: Mapping[str, Any]) -> Self:
        return cls(
            source,
            bos_token=_token(config, "bos_token"),
            eos_token=_token(config, "eos_token"),
            origin=str(file),
        )

    @property
    def sha256(self) -> str:
        """Hash of the source and of the special tokens that it is rendered with."""
        parts = [self.source, self.tokens["bos_token"], self.tokens["eos_token"]]
        return sha256("\0".join(parts).encode()).hexdigest()

    def render(self, messages: Sequence[Message], *, generation_prompt: bool = False) -> str:
        """The prompt for `messages`; see `Model.render`.

        Raises:
            ModelError: the template refuses these turns.
        """
        try:
            return self._template.render(
                messages=messages, add_generation_prompt=generation_prompt, **self.tokens
            )
        except jinja2.TemplateError as error:
            raise ModelError(f"{self._origin}: {error}") from None


def _environment() -> ImmutableSandboxedEnvironment:
    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[jinja2.ext.loopcontrols]
    )
    environment.filters["tojson"] = _to_json
    environment.globals["raise_exception"] = _raise_exception
    environment.globals["strftime_now"] = lambda form: datetime.now().strftime(form)
    return environment


def _to_json(value: Any, indent: int | None = None) -> str:
    # jinja's own filter escapes HTML, which no model has seen
    return json.dumps(value, ensure_ascii=False, indent=indent)


def _raise_exception(message: str) -> NoReturn:
    raise jinja2.TemplateError(message)


def _tokenizer_config(folder: Path) -> dict[str, Any]:
    file = folder / "tokenizer_config.json"
    if not file.is_file():
        return {}
    try:
        config = json.loads(_read(file))
    except json.JSONDecodeError as error:
        raise InputError(f"{file}, line {error.lineno}: {error.msg}") from None
    return config if isinstance(config, dict) else {}


def _token(config: Mapping[str, Any], key: str) -> str:
    token = config.get(key)
    if isinstance(token, dict):  # a serialised AddedToken
        token = token.get("content")
    return token if isinstance(token, str) else ""


def _read(file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{file}: cannot read it: {error}") from None
