"""What all stored or exchanged rows have in common: typed, frozen, one line of JSON."""

import json
import re
from collections.abc import Mapping
from typing import Annotated, ClassVar, Self, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, JsonValue, TypeAdapter
from pydantic_core import PydanticSerializationError

JsonObject: TypeAlias = dict[str, JsonValue]

Key: TypeAlias = str | int  # what names a row in its run
_SURROGATE = re.compile("[\ud800-\udfff]")
SCHEMA_VERSION = 2  # version 0.1 wrote rows without a version: they read as they are

_LINE_ENDS = {code: f"\\u{code:04x}" for code in (0x85, 0x2028, 0x2029)}  # in strings only


class Record(BaseModel):
    """Base of all rows. Fields that a newer version added are ignored, so old code reads them."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    def line(self) -> bytes:
        """The record as one line of JSON, with its line end.

        A lone surrogate, which UTF-8 cannot represent, becomes U+FFFD. Characters that some readers
        treat as line ends (U+0085, U+2028, U+2029) are escaped.
        """
        try:
            text = self.model_dump_json()
        except (PydanticSerializationError, UnicodeError):
            text = json.dumps(without_surrogates(self.model_dump()), ensure_ascii=False)
        return text.translate(_LINE_ENDS).encode() + b"\n"

    def json_object(self) -> JsonObject:
        """The record as plain JSON values."""
        value: JsonObject = json.loads(self.line())
        return value


class Row(Record):
    """A record that a `Journal` stores, identified by the value of its field `KEY`."""

    KEY: ClassVar[str]

    schema_version: int = SCHEMA_VERSION  # version of the row's format
    # why the row could not be computed
    failed: Annotated[str | None, Field(exclude_if=lambda cause: cause is None)] = None

    def key_of(self, field: str) -> Key:
        """The value of the field that names rows in a run."""
        key: Key = getattr(self, field)
        return key

    @classmethod
    def parse(cls, line: bytes | str) -> Self:
        """Parse the row in a line.

        Raises:
            pydantic.ValidationError: it holds another kind of row.
        """
        return cls.model_validate_json(line)


def json_object(value: object) -> JsonObject:
    """The JSON object of a dataclass, as in rows and specs."""
    found: JsonObject = TypeAdapter(type(value)).dump_python(value, mode="json")
    return found


def replace_surrogates(text: str) -> str:
    """The same text with every lone surrogate replaced by U+FFFD."""
    if not _SURROGATE.search(text):  # nearly always: most texts are not copied
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def without_surrogates(value: object) -> object:
    """The same value of JSON, with every lone surrogate in its strings replaced by U+FFFD."""
    if isinstance(value, str):
        return replace_surrogates(value)
    if isinstance(value, Mapping):
        return {without_surrogates(key): without_surrogates(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [without_surrogates(item) for item in value]
    return value


# A text that people or models wrote: it may hold anything, lone surrogates included.
Text = Annotated[str, BeforeValidator(without_surrogates)]
