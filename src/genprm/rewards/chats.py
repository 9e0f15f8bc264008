"""Reads what a trainer passes, texts and chats of every shape, as a problem and a solution.

The completion is the text of its last assistant turn, and the problem that of the prompt's last
user turn. Without a text (a tool call, None, an empty chat) the result is None: there is nothing to
judge.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

Turn: TypeAlias = Mapping[str, object]
Chat: TypeAlias = str | Turn | Sequence[object] | None

# Turns of a prompt that was rendered by a chat template before the trainer handed it over.
_RENDERED_USER = re.compile(
    r"<\|im_start\|>user\n(.*?)<\|im_end\|>"
    r"|<\|start_header_id\|>user<\|end_header_id\|>\n\n(.*?)<\|eot_id\|>"
    r"|<start_of_turn>user\n(.*?)<end_of_turn>"
    r"|<｜User｜>(.*?)(?=<｜Assistant｜>|\Z)"
    r"|\[INST\](.*?)\[/INST\]"
    r"|<\|user\|>(.*?)(?=<\|end\|>|</s>|<\|assistant\|>|<\|endoftext\|>)"
    r"|<\|start_of_role\|>user<\|end_of_role\|>(.*?)<\|end_of_text\|>"
    r"|<\|start\|>user<\|message\|>(.*?)<\|end\|>",
    re.DOTALL,
)
# The same in plain text, which ends with the assistant's mark.
_PLAIN_USER = re.compile(
    r"(?:.*\bUSER:(.*)ASSISTANT:"
    r"|(?:.*\n)?User:(.*)\n\s*Assistant:"
    r"|.*### Instruction:(.*)### Response:)\s*\Z",
    re.DOTALL,
)
_END_MARKS = (
    "<|im_end|>", "<|endoftext|>", "<|eot_id|>", "<|end_of_text|>", "<end_of_turn>", "<eos>",
    "<｜end▁of▁sentence｜>", "</s>", "<pad>", "<|pad|>",
)  # fmt: skip


def completion_text(completion: Chat) -> str | None:
    """The text of the last assistant turn; None if there is none."""
    return _said(completion, "assistant")


def problem_text(prompt: Chat) -> str | None:
    """The text of the last user turn, without markers of a chat template."""
    said = _said(prompt, "user")
    if said is None:
        return None
    rendered = [next(filter(None, found), "") for found in _RENDERED_USER.findall(said)]
    if rendered:
        return _text(rendered[-1])
    plain = _PLAIN_USER.match(said)
    return _text(next(filter(None, plain.groups()), "").strip() if plain else said)


def without_end_marks(text: str) -> str:
    """A decoded completion without the special tokens at its end."""
    while True:
        text = text.rstrip()
        mark = next((mark for mark in _END_MARKS if text.endswith(mark)), None)
        if mark is None:
            return text
        text = text[: -len(mark)]


def _said(chat: object, role: str) -> str | None:
    if chat is None or isinstance(chat, str):
        return _text(chat)
    if not isinstance(chat, Mapping | Iterable):
        return None  # NaN, which tables hold where a cell is empty
    turns = [chat] if isinstance(chat, Mapping) else list(chat)
    for turn in reversed(turns):
        if isinstance(turn, Mapping) and turn.get("role") == role:
            return _text(turn.get("content"))
    return None


def _text(content: object) -> str | None:
    """A turn's content: a text, or a list of parts, of which the text parts count."""
    if isinstance(content, str):
        return content if content.strip() else None
    if isinstance(content, Mapping):
        content = [content]
    elif hasattr(content, "tolist"):  # a table's column holds arrays of parts
        content = content.tolist()
    if not isinstance(content, Sequence):
        return None
    parts = [part if isinstance(part, str) else _part(part) for part in content]
    return _text("".join(parts))


def _part(part: object) -> str:
    if not isinstance(part, Mapping) or part.get("type", "text") not in _TEXT_PARTS:
        return ""
    text = part.get("text")
    return text if isinstance(text, str) else ""


_TEXT_PARTS = frozenset({"text", "output_text", "input_text"})
