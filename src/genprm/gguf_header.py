"""Reads the header of a GGUF file: what the model is, without its weights.

Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md, versions 2 and 3. The `gguf`
package reads the same, but takes 5 seconds for a vocabulary of 50,000 tokens.
"""

import mmap
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from genprm.errors import InputError

OUR_NAME = "genprm-arithmetic"
"""`general.name` of the models that the package ships and that are trained from them."""

OUR_WEIGHTS = "model.gguf"
"""The file that holds their weights, beside configuration and tokenizer."""

Scalar: TypeAlias = int | float | bool | str

_SCALARS = "BbHhIif?"  # GGUF types 0 to 7, as struct knows them
_STRING, _ARRAY = 8, 9
_WIDE = {10: "Q", 11: "q", 12: "d"}
_LONGEST_TEXT = 2**24

TOKENS, TOKEN_KINDS = "tokenizer.ggml.tokens", "tokenizer.ggml.token_type"
TAKEN_OUT = {2, 3, 4}
"""Kinds of tokens that a tokenizer takes out of any text: unknown, control, defined by users."""


@dataclass(frozen=True, slots=True)
class GgufHeader:
    """Fields of the header. Of an array only its length is kept, and of the vocabulary only the
    tokens that a tokenizer takes out of any text before it splits the rest.
    """

    fields: dict[str, Scalar]
    special_tokens: frozenset[str] = frozenset()

    @property
    def architecture(self) -> str:
        """Such as `llama` or `qwen2`."""
        return str(self.fields.get("general.architecture", "unknown"))

    @property
    def chat_template(self) -> str | None:
        """The template in the file, if there is one."""
        template = self.fields.get("tokenizer.chat_template")
        return template if isinstance(template, str) else None

    @property
    def context_length(self) -> int:
        """Tokens of context that the model was made for; 0 if the file does not say."""
        return self._number("context_length")

    @property
    def cache_bytes_per_token(self) -> int:
        """Bytes of keys and values for one token, in float16, if all layers keep all tokens."""
        heads = max(1, self._number("attention.head_count"))
        size = self._number("embedding_length") // heads
        per_head = (self._number("attention.key_length") or size) + (
            self._number("attention.value_length") or size
        )
        key_value_heads = self._number("attention.head_count_kv") or heads
        return 2 * self._number("block_count") * key_value_heads * per_head

    def _number(self, key: str) -> int:
        value = self.fields.get(f"{self.architecture}.{key}", 0)
        return int(value) if isinstance(value, int | float) else 0


def read_header(file: Path) -> GgufHeader:
    """The header of `file`.

    Raises:
        InputError: it is not a GGUF file, or ends within its header.
    """
    try:
        with file.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as m:
            return _read(_Cursor(m))
    except (struct.error, IndexError, EOFError):
        raise InputError(
            f"{file}: the file ends within its header; fix: download all of it again"
        ) from None
    except OSError as error:
        raise InputError(f"{file}: cannot read it: {error.strerror}") from None
    except ValueError as error:
        raise InputError(f"{file}: {error}") from None


def is_ours(folder: Path) -> bool:
    """Whether a folder holds one of genprm's own models, with its weights in `OUR_WEIGHTS`.

    Raises:
        InputError: as `read_header`.
    """
    file = folder / OUR_WEIGHTS
    return file.is_file() and read_header(file).fields.get("general.name") == OUR_NAME


class _Cursor:
    def __init__(self, data: mmap.mmap) -> None:
        self._data = data
        self._at = 0

    def scalar(self, form: str) -> int | float | bool:
        (value,) = struct.unpack_from(f"<{form}", self._data, self._at)
        self._at += struct.calcsize(f"<{form}")
        number: int | float | bool = value
        return number

    def length(self) -> int:
        return int(self.scalar("Q"))

    def text(self) -> str:
        length = self.length()
        if length > _LONGEST_TEXT:
            raise ValueError("the GGUF header cannot be read; fix: download the file again")
        self.skip(length)
        return self._data[self._at - length : self._at].decode("utf-8", errors="replace")

    def skip(self, count: int) -> None:
        self._at += count
        if self._at > len(self._data):
            raise EOFError

    def value(self, kind: int) -> Scalar:
        if kind == _STRING:
            return self.text()
        if kind == _ARRAY:
            return self._array()
        form = _WIDE.get(kind) or (_SCALARS[kind] if kind < len(_SCALARS) else "")
        if not form:
            raise ValueError(f"its header has a field of the unknown type {kind}")
        return self.scalar(form)

    def array_at(self) -> tuple[int, int, int]:
        """Kind and length of the array here, and the place of its first element; none is read."""
        start = self._at
        kind, count = int(self.scalar("I")), self.length()
        first, self._at = self._at, start
        return kind, count, first

    def moved(self, at: int) -> "_Cursor":
        """A new cursor at another place."""
        twin = _Cursor(self._data)
        twin._at = at
        return twin

    def _array(self) -> Scalar:
        """An array is read for its first number, which stands for all layers, or its length."""
        kind, count = int(self.scalar("I")), self.length()
        if kind in {_STRING, _ARRAY}:
            for _ in range(count):
                if kind == _STRING:
                    self.skip(self.length())
                else:
                    self._array()
            return count
        first = self.value(kind) if count else 0
        form = _WIDE.get(kind) or _SCALARS[kind]
        self.skip(struct.calcsize(f"<{form}") * max(0, count - 1))
        return first


def _read(cursor: _Cursor) -> GgufHeader:
    if cursor.scalar("I") != int.from_bytes(b"GGUF", "little"):
        raise ValueError("not a GGUF file: it does not begin with GGUF")
    if (version := cursor.scalar("I")) not in {2, 3}:
        raise ValueError(f"GGUF version {version}; only versions 2 and 3 are read")
    cursor.length()  # tensors
    fields: dict[str, Scalar] = {}
    arrays: dict[str, tuple[int, int, int]] = {}
    for _ in range(cursor.length()):
        key = cursor.text()
        kind = int(cursor.scalar("I"))
        if kind == _ARRAY and key in {TOKENS, TOKEN_KINDS}:
            arrays[key] = cursor.array_at()
        fields[key] = cursor.value(kind)
    return GgufHeader(fields, frozenset(_special(cursor, arrays)))


def _special(cursor: _Cursor, arrays: dict[str, tuple[int, int, int]]) -> Iterator[str]:
    if arrays.keys() != {TOKENS, TOKEN_KINDS} or arrays[TOKENS][0] != _STRING:
        return
    kind, _, first = arrays[TOKEN_KINDS]
    if kind >= len(_SCALARS):
        return
    kinds, tokens = cursor.moved(first), cursor.moved(arrays[TOKENS][2])
    for _ in range(min(arrays[TOKENS][1], arrays[TOKEN_KINDS][1])):
        if kinds.scalar(_SCALARS[kind]) in TAKEN_OUT:
            yield tokens.text()
        else:
            tokens.skip(tokens.length())
