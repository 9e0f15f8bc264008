"""A chat template learned from a server that renders turns for us, as vLLM does.

This is for a server whose model cannot be looked up from here. The server renders a few short
chats, and the text that it puts between their contents is the template. A template that does more
with the turns than put text between them is not learned.
"""

import json
from collections.abc import Callable, Sequence

import httpx
from pydantic import BaseModel

from genprm.errors import GenprmError
from genprm.http import Refused, Unavailable, check
from genprm.model import Message
from genprm.models.chat_template import ChatTemplate

_WORDS = ("Sfour", "Uone", "Atwo", "Vthree")  # contents that no template holds or changes
_SYSTEM: Message = {"role": "system", "content": _WORDS[0]}
_TURNS: list[Message] = [
    {"role": "user", "content": _WORDS[1]},
    {"role": "assistant", "content": _WORDS[2]},
    {"role": "user", "content": _WORDS[3]},
]
_SOURCE = """\
{%%- for m in messages -%%}
{%%- if loop.first -%%}{{- %(system)s if m.role == 'system' else %(user)s -}}
{%%- elif m.role == 'assistant' -%%}{{- %(user_assistant)s -}}
{%%- elif messages[loop.index0 - 1].role == 'system' -%%}{{- %(system_user)s -}}
{%%- else -%%}{{- %(assistant_user)s -}}
{%%- endif -%%}
{{- m.content%(trim)s -}}
{%%- endfor -%%}
{{- %(assistant_end)s if messages[-1].role == 'assistant' else %(user_end)s -}}
{%%- if add_generation_prompt -%%}{{- %(generation)s -}}{%%- endif -%%}
"""

Render = Callable[[Sequence[Message], bool], str]


class _Tokens(BaseModel):
    tokens: list[int]


class _Text(BaseModel):
    prompt: str


def learn_template(client: httpx.Client, model: str) -> ChatTemplate | None:
    """The server's template; None if the server renders nothing, or its template is not simple."""

    def render(messages: Sequence[Message], generation_prompt: bool) -> str:
        asked = {"messages": messages, "add_generation_prompt": generation_prompt}
        tokens = client.post("tokenize", json={"model": model, **asked})
        check(tokens)
        ids = _Tokens.model_validate(tokens.json()).tokens
        text = client.post("detokenize", json={"model": model, "tokens": ids})
        check(text)
        return _Text.model_validate(text.json()).prompt

    try:
        return _learned(render)
    except (httpx.HTTPError, Unavailable, Refused, ValueError, GenprmError):
        return None


def _learned(render: Render) -> ChatTemplate | None:
    whole = render([_SYSTEM, *_TURNS], False)
    system, system_user, user_assistant, assistant_user, user_end = _between(whole, _WORDS)
    parts = {
        "system": system,
        "system_user": system_user,
        "user_assistant": user_assistant,
        "assistant_user": assistant_user,
        "user_end": user_end,
        "user": _between(render(_TURNS, False), _WORDS[1:])[0],
        "assistant_end": _between(render(_TURNS[:2], False), _WORDS[1:3])[-1],
        "generation": render([_SYSTEM, *_TURNS], True).removeprefix(whole),
    }
    literals = {name: json.dumps(text, ensure_ascii=False) for name, text in parts.items()}
    for trim in ("", " | trim"):
        template = ChatTemplate(_SOURCE % {**literals, "trim": trim}, origin="the server's own")
        if all(
            template.render(chat, generation_prompt=marked) == render(chat, marked)
            for chat in _examples()
            for marked in (False, True)
        ):
            return template
    return None


def _examples() -> list[list[Message]]:
    """Chats that a template must render as the server does: spaced, long and short."""
    spaced: list[Message] = [
        {"role": turn["role"], "content": f"\n {turn['content']}\n\n"} for turn in _TURNS
    ]
    return [[_SYSTEM, *spaced], [*spaced, *spaced[1:]], spaced[:1], [_SYSTEM, *_TURNS[:2]]]


def _between(text: str, words: Sequence[str]) -> list[str]:
    """The text before, between and after the words.

    Raises:
        ValueError: a word does not occur exactly once, or they are in another order.
    """
    parts = []
    for word in words:
        if text.count(word) != 1:
            raise ValueError(word)
        before, text = text.split(word)
        parts.append(before)
    return [*parts, text]
