"""Runs a chat template: a program in Jinja that came with a download.

It is rendered as transformers does it, in Jinja's sandbox, with limits on time and on the length of
the output. `template_child`, where it runs, limits its memory.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from time import monotonic
from typing import NoReturn, overload

import jinja2
import jinja2.ext
from jinja2.sandbox import ImmutableSandboxedEnvironment

from genprm.model import Message

RENDER_SECONDS = 10.0
_EXPANSION = 8  # a render holds at most this many times what it is given, and a fixed part


class TemplateFault(Exception):
    """A template refused the turns, failed on them, or did not end; the message says which."""


class EndlessTemplate(TemplateFault):
    """A template that did not end within its limits; it would not with another chat either."""


def render(
    source: str,
    tokens: Mapping[str, str],
    messages: Sequence[Message],
    *,
    generation_prompt: bool,
    seconds: float = RENDER_SECONDS,
) -> str:
    """The prompt.

    Raises:
        TemplateFault: there is none.
    """
    given = sum(len(turn["content"]) for turn in messages)
    longest, latest = _EXPANSION * (given + 100_000), monotonic() + seconds
    text: list[str] = []
    length = 0
    try:
        template = _compiled(source, seconds)
        for piece in template.generate(
            messages=list(messages), add_generation_prompt=generation_prompt, **tokens
        ):
            text.append(piece)
            length += len(piece)
            if length > longest or monotonic() > latest:
                raise EndlessTemplate(
                    f"the chat template wrote {length} characters for {given} and did not end; "
                    "fix: name the model's own with --chat-template"
                )
    except TemplateFault:
        raise
    except jinja2.TemplateError as error:
        raise TemplateFault(" ".join(str(error).split())) from None
    except Exception as error:  # noqa: BLE001 - whatever a downloaded program may raise, memory among it
        raise TemplateFault(
            f"{type(error).__name__}: {' '.join(str(error).split())}; "
            "fix: name the model's own with --chat-template"
        ) from None
    return "".join(text)


@lru_cache(maxsize=8)
def _compiled(source: str, seconds: float) -> jinja2.Template:
    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[jinja2.ext.loopcontrols]
    )
    environment.filters["tojson"] = _to_json
    environment.globals["range"] = lambda *bounds: _TimedRange(bounds, seconds)
    environment.globals["raise_exception"] = _raise_exception
    environment.globals["strftime_now"] = lambda form: datetime.now().strftime(form)
    return environment.from_string(source)


class _TimedRange(Sequence[int]):
    """Jinja's `range`, which ends with an error when a template loops without end."""

    def __init__(self, bounds: tuple[int, ...], seconds: float) -> None:
        self._numbers = range(*bounds)
        self._seconds = seconds
        self._latest = monotonic() + seconds

    def __len__(self) -> int:
        return len(self._numbers)

    @overload
    def __getitem__(self, index: int) -> int: ...
    @overload
    def __getitem__(self, index: slice) -> range: ...
    def __getitem__(self, index: int | slice) -> int | range:
        return self._numbers[index]

    def __iter__(self) -> Iterator[int]:
        for number in self._numbers:
            if monotonic() > self._latest:
                raise EndlessTemplate(
                    f"a loop did not end within {self._seconds:g} s; "
                    "fix: name the model's own with --chat-template"
                )
            yield number


def _to_json(value: object, indent: int | None = None) -> str:
    # jinja's own filter escapes HTML, which no model has seen
    return json.dumps(value, ensure_ascii=False, indent=indent)


def _raise_exception(message: str) -> NoReturn:
    raise jinja2.TemplateError(message)
