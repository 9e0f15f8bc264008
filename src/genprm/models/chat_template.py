"""Chat templates: whole turns to the prompt that a checkpoint was trained on.

Rendered as transformers renders them, in a sandbox, since a template is code that came with a
download. The built-in one belongs to DeepSeek-R1-Distill-Qwen, the base of the released GenPRM
checkpoints (MIT, as distributed with llama.cpp).
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from importlib import resources
from pathlib import Path
from time import monotonic
from typing import Any, NoReturn, Self

import jinja2
import jinja2.ext
from jinja2.sandbox import ImmutableSandboxedEnvironment

from genprm.errors import InputError, ModelError
from genprm.model import Message
from genprm.models.control_tokens import ControlTokens, markers_of

_RENDER_SECONDS = 10.0
_EXPANSION = 8  # a render holds at most this many times what it is given, and a fixed part


class ChatTemplate:
    """A compiled template with the special tokens that it names."""

    def __init__(
        self,
        source: str,
        *,
        bos_token: str = "",
        eos_token: str = "",
        special_tokens: Iterable[str] = (),
        origin: str = "<string>",
    ) -> None:
        """`special_tokens` are those of the tokenizer, as far as they are known."""
        try:
            self._template = _environment().from_string(source)
            markers = markers_of(source)
        except jinja2.TemplateSyntaxError as error:
            raise InputError(f"{origin}, line {error.lineno}: {error.message}") from None
        except Exception as error:  # such as nesting too deep: it came with a download
            raise InputError(f"{origin}: not a chat template: {_in_words(error)}") from None
        self.source = source
        self.tokens = {"bos_token": bos_token, "eos_token": eos_token}
        self.literal = ControlTokens({*special_tokens, *markers, bos_token, eos_token}).literal
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
            return cls._of(file, _read(file), config, folder)
        embedded = config.get("chat_template")
        if isinstance(embedded, list):  # several named templates
            embedded = _default_template(embedded)
        if not isinstance(embedded, str):
            raise InputError(
                f"{folder}: no chat template (chat_template.jinja, or `chat_template` in "
                "tokenizer_config.json); fix: --chat-template FILE"
            )
        return cls._of(folder / "tokenizer_config.json", embedded, config, folder)

    @classmethod
    def from_path(cls, path: Path) -> Self:
        """A model folder, or a template file; special tokens come from the config beside it."""
        if path.is_dir():
            return cls.from_folder(path)
        return cls._of(path, _read(path), _tokenizer_config(path.parent), path.parent)

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
    def _of(cls, file: Path, source: str, config: Mapping[str, Any], folder: Path) -> Self:
        return cls(
            source,
            bos_token=_token(config, "bos_token"),
            eos_token=_token(config, "eos_token"),
            special_tokens=_special_tokens(config, folder),
            origin=str(file),
        )

    @property
    def sha256(self) -> str:
        """Hash of the source and of the special tokens that it is rendered with."""
        parts = [self.source, self.tokens["bos_token"], self.tokens["eos_token"]]
        return sha256("\0".join(parts).encode()).hexdigest()

    def render(self, messages: Sequence[Message], *, generation_prompt: bool = False) -> str:
        """The prompt for `messages`, whose contents become no control tokens; see `Model.render`.

        Raises:
            ModelError: the template refuses these turns, fails on them, or writes without end.
        """
        plain = [{**turn, "content": self.literal(turn["content"])} for turn in messages]
        pieces = self._template.generate(
            messages=plain, add_generation_prompt=generation_prompt, **self.tokens
        )
        try:
            return self._bounded(pieces, sum(len(turn["content"]) for turn in messages))
        except ModelError:
            raise
        except Exception as error:  # whatever a downloaded program may raise
            raise ModelError(f"{self._origin}: {_in_words(error)}") from None

    def _bounded(self, pieces: Iterable[str], given: int) -> str:
        longest, latest = _EXPANSION * (given + 100_000), monotonic() + _RENDER_SECONDS
        text: list[str] = []
        length = 0
        for piece in pieces:
            text.append(piece)
            length += len(piece)
            if length > longest or monotonic() > latest:
                raise ModelError(
                    f"{self._origin}: the chat template wrote {length} characters for {given} and "
                    "did not end; fix: --chat-template with the model's own"
                )
        return "".join(text)


def _environment() -> ImmutableSandboxedEnvironment:
    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[jinja2.ext.loopcontrols]
    )
    environment.filters["tojson"] = _to_json
    environment.globals["range"] = _TimedRange
    environment.globals["raise_exception"] = _raise_exception
    environment.globals["strftime_now"] = lambda form: datetime.now().strftime(form)
    return environment


class _TimedRange(Sequence[int]):
    """Jinja's `range`, which ends with an error when a template loops without end."""

    def __init__(self, *bounds: int) -> None:
        self._numbers = range(*bounds)
        self._latest = monotonic() + _RENDER_SECONDS

    def __len__(self) -> int:
        return len(self._numbers)

    def __getitem__(self, index: Any) -> Any:
        return self._numbers[index]

    def __iter__(self) -> Iterator[int]:
        for number in self._numbers:
            if monotonic() > self._latest:
                raise jinja2.TemplateError(f"a loop did not end within {_RENDER_SECONDS:g} s")
            yield number


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


def _default_template(named: Sequence[Any]) -> object:
    entries = [entry for entry in named if isinstance(entry, dict)]
    return next((e.get("template") for e in entries if e.get("name") == "default"), None)


def _special_tokens(config: Mapping[str, Any], folder: Path) -> list[str]:
    """The special tokens that a tokenizer's files list."""
    listed = config.get("added_tokens_decoder")
    entries = list(listed.values()) if isinstance(listed, dict) else []
    file = folder / "tokenizer.json"
    if not entries and file.is_file():
        try:
            tokenizer = json.loads(_read(file))
        except ValueError:  # the engine says what is wrong with its tokenizer
            tokenizer = None
        added = tokenizer.get("added_tokens") if isinstance(tokenizer, dict) else None
        entries = added if isinstance(added, list) else []
    return [
        entry["content"]
        for entry in entries
        if isinstance(entry, dict)
        and entry.get("special")
        and isinstance(entry.get("content"), str)
    ]


def _in_words(error: Exception) -> str:
    text = " ".join(str(error).split())
    return text if isinstance(error, jinja2.TemplateError) else f"{type(error).__name__}: {text}"


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
