"""Reads the files of a tokenizer: its configuration, and the strings that are always tokens.

A tokenizer splits off each of its added tokens from any text before it splits the rest. The special
ones among them, and those that look like marks of a format (`<think>`), control the model, so
problems and steps must not contain them.
"""

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from pydantic import JsonValue

from genprm.errors import InputError
from genprm.records.record import JsonObject

_MARK = re.compile(r"[<\[].*[>\]]", re.S)
_LISTS = ("additional_special_tokens", "extra_special_tokens")
_NAMED = ("bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token")


def tokenizer_config(folder: Path) -> JsonObject:
    """The content of `tokenizer_config.json`; empty if there is none.

    Raises:
        InputError: it cannot be read, or is not JSON.
    """
    file = folder / "tokenizer_config.json"
    if not file.is_file():
        return {}
    try:
        config = json.loads(read_text(file))
    except (ValueError, RecursionError) as error:
        cause = " ".join(str(error).split())[:200]
        raise InputError(f"{file}: broken JSON ({cause}); fix: download it again") from None
    return config if isinstance(config, dict) else {}


def special_tokens(folder: Path) -> frozenset[str]:
    """The tokens that no text may contain, from all files of a tokenizer in `folder`."""
    config = _json(folder / "tokenizer_config.json")
    found = {*listed_tokens(config), *listed_tokens(_json(folder / "special_tokens_map.json"))}
    found.update(filter(_MARK.fullmatch, _json(folder / "added_tokens.json")))
    if not config.get("added_tokens_decoder"):  # else the large file lists the same once more
        added = _json(folder / "tokenizer.json").get("added_tokens")
        found.update(_added(added if isinstance(added, list) else []))
    return frozenset(found)


def listed_tokens(config: JsonObject) -> Iterator[str]:
    """The tokens that a configuration lists in any of the possible places."""
    decoder = config.get("added_tokens_decoder")
    yield from _added(decoder.values() if isinstance(decoder, dict) else [])
    for key in _NAMED:
        yield from _text(config.get(key))
    for key in _LISTS:
        several = config.get(key)
        values = several.values() if isinstance(several, dict) else several
        for value in values if isinstance(values, Iterable) else ():
            yield from _text(value)


def named_token(config: JsonObject, key: str) -> str:
    """A token such as `bos_token`, written as text or as a serialised AddedToken."""
    return next(_text(config.get(key)), "")


def read_text(file: Path) -> str:
    """The text of a template or configuration.

    Raises:
        InputError: it cannot be read.
    """
    try:
        return file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{file}: cannot read it: {error}; fix: --chat-template FILE") from None


def _added(entries: Iterable[JsonValue]) -> Iterator[str]:
    for entry in entries:
        fields = entry if isinstance(entry, dict) else {}
        content = fields.get("content")
        if isinstance(content, str) and (_MARK.fullmatch(content) or fields.get("special")):
            yield content


def _text(value: JsonValue) -> Iterator[str]:
    token = value.get("content") if isinstance(value, dict) else value
    if isinstance(token, str) and token:
        yield token


def _json(file: Path) -> JsonObject:
    """The object in a file; empty if it cannot be read, since the engine will report that."""
    try:
        value = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
