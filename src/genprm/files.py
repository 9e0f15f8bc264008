"""Reads files of rows in any format: JSON, JSON Lines, Parquet, gzip, plain text.

Text may be UTF-8 or UTF-16 with any line ends. Files that are not data (a Git LFS pointer, a web
page, an archive) are refused, and the message says what they are. `-` is standard input, and
`hf:NAME[:SPLIT]` is a data set of the Hugging Face Hub. A URL such as `s3://BUCKET/FILE` is read
with fsspec.
"""

import gzip
import io
import json
import re
import sys
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from pydantic import JsonValue

from genprm.errors import InputError, MissingExtra
from genprm.object_store import ObjectStore

Row: TypeAlias = dict[str, JsonValue]
# Where a row stands, for messages, and the row; an error where the line is broken.
Placed: TypeAlias = tuple[str, JsonValue | InputError]

MAX_BYTES = 4 << 30  # of a file when unpacked

_BOMS = (
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
_NOT_DATA = (
    (b"version https://git-lfs", "this is a Git LFS pointer, not the data; fix: run git lfs pull"),
    (
        b"PK\x03\x04",
        "this is an archive or a spreadsheet; fix: unpack it, or save it as JSON Lines",
    ),
    (b"\x28\xb5\x2f\xfd", "this is compressed with zstd; fix: unpack it with unzstd"),
    (b"BZh", "this is compressed with bzip2; fix: unpack it with bunzip2"),
    (b"\xfd7zXZ", "this is compressed with xz; fix: unpack it with unxz"),
    (b"%PDF", "this is a PDF; fix: save its rows as JSON Lines"),
    (b"SQLite format 3", "this is a database; fix: save its rows as JSON Lines"),
    (b"ARROW1", "this is an Arrow file; fix: save it as Parquet or JSON Lines"),
)
_URL = re.compile(r"[a-z][a-z0-9+.-]+://")
_JSON_NAMES = (".json", ".jsonl", ".ndjson")
_PAGE = re.compile(rb"\s*<(?:!doctype\s+html|html\b|\?xml\b|error>)", re.I)
_JSON = re.compile(r"\s*(?:\{\s*(?:\"|\}|$)|\[\s*(?:[{\[\"\]]|$))")  # not "[Easy] …" or "{1, 2} …"


@dataclass(frozen=True, slots=True)
class DataFile:
    """The content of a source: a text, or the rows of a table."""

    source: str
    text: str = ""
    table: Iterable[JsonValue] | None = None

    def is_prose(self) -> bool:
        """Whether it is plain text and not JSON."""
        if self.table is not None or self.source.removesuffix(".gz").endswith(_JSON_NAMES):
            return False
        return bool(self.text.strip()) and _JSON.match(self.text) is None

    def rows(self) -> Iterator[Placed]:
        """The rows, each with its place: a JSON document's, or one JSON value per line.

        A line that is not valid JSON is yielded as the `InputError` that says so, and `as_object`
        raises it; so a reader can continue after it.

        Raises:
            InputError: the document is not valid JSON.
        """
        if self.table is not None:
            return _numbered(self.source, self.table)
        try:
            document = _parse(self.text)
        except json.JSONDecodeError as error:
            is_document = self.source.removesuffix(".gz").endswith(".json")
            if is_document and error.msg != "Extra data":
                raise _broken(f"{self.source}:{error.lineno}", error.msg) from None
            documents = _documents(self.text) if error.msg == "Extra data" else None
            if documents is not None:
                return _numbered(self.source, documents)
            return _json_lines(self.source, self.text)
        except (RecursionError, ValueError) as error:
            if "\n" in self.text.strip():
                return _json_lines(self.source, self.text)
            raise _broken(self.source, str(error)) from None
        if not isinstance(document, list) and "\n" not in self.text.strip():
            return _json_lines(self.source, self.text)
        return _numbered(self.source, document if isinstance(document, list) else [document])


def read_file(source: str) -> DataFile:
    """Read a file, standard input (`-`), or a data set of the Hub (`hf:NAME[:SPLIT]`).

    Raises:
        InputError: it cannot be read, or is not data.
        MissingExtra: Parquet without pyarrow, or the Hub without datasets.
    """
    if source.startswith("hf:"):
        return DataFile(source, table=_hub_rows(source[3:]))
    try:
        if is_url(source):
            data = _fetched(source)
        else:
            data = sys.stdin.buffer.read() if source == "-" else Path(source).read_bytes()
    except (OSError, ValueError) as error:  # ValueError: NUL in the name
        cause = getattr(error, "strerror", None) or str(error)
        raise InputError(f"{source}: {cause}; fix: name a file that can be read") from None
    data = _unpacked(source, data)
    if data.startswith(b"PAR1"):
        return DataFile(source, table=_parquet_rows(source, data))
    if source.removesuffix(".gz").endswith((".csv", ".tsv")):
        raise InputError(
            f"{source}: this is a table of text; fix: save it as JSON Lines or Parquet"
        )
    return DataFile(source, _decoded(source, data))


def read_rows(source: str) -> Iterator[tuple[str, Row]]:
    """The JSON objects of a file, each with its place, which messages name.

    Raises:
        InputError, MissingExtra: as `read_file`; or a row is not a JSON object.
    """
    for place, row in read_file(source).rows():
        yield place, as_object(place, row)


def as_object(place: str, row: JsonValue | InputError) -> Row:
    """The row as a JSON object.

    Raises:
        InputError: it is not an object, or not valid JSON.
    """
    if isinstance(row, InputError):
        raise row
    if not isinstance(row, dict):
        raise InputError(
            f"{place}: this is not a JSON object; fix: write one JSON object on each line"
        )
    return row


def is_url(source: str) -> bool:
    """Whether a source is a URL that fsspec reads."""
    return _URL.match(source) is not None


def listed(folder: str, suffixes: tuple[str, ...]) -> list[str]:
    """The files with these suffixes in a folder, by name; the folder may be a URL that ends in /.

    Raises:
        InputError, MissingExtra: as `read_file`.
    """
    if not is_url(folder):
        return [str(path) for path in sorted(Path(folder).iterdir()) if path.suffix in suffixes]
    store = ObjectStore(folder)
    try:
        names = store.sizes()
    except OSError as error:
        raise InputError(f"{folder}: {error}; fix: name a folder that can be read") from None
    return [folder + name for name in sorted(names) if "/" not in name and name.endswith(suffixes)]


def _fetched(source: str) -> bytes:
    """The content behind a URL that fsspec reads: s3://, gs://, file://, memory:// and others."""
    parent, _, name = source.rpartition("/")
    data = io.BytesIO()
    ObjectStore(parent).download(name, data)
    return data.getvalue()


def _unpacked(source: str, data: bytes) -> bytes:
    if data.startswith(b"\x1f\x8b"):
        try:
            with gzip.open(io.BytesIO(data)) as unpacked:
                data = unpacked.read(MAX_BYTES + 1)
        except (OSError, EOFError, zlib.error) as error:
            raise InputError(f"{source}: broken gzip ({error}); fix: download it again") from None
        if len(data) > MAX_BYTES:
            raise InputError(f"{source}: more than {MAX_BYTES >> 30} GiB; fix: split the file")
    for mark, what in _NOT_DATA:
        if data.startswith(mark):
            raise InputError(f"{source}: {what}")
    if _PAGE.match(data):
        raise InputError(f"{source}: this is a web page, not the data; fix: download the raw file")
    return data


def _decoded(source: str, data: bytes) -> str:
    encoding = next((encoding for bom, encoding in _BOMS if data.startswith(bom)), "utf-8")
    if encoding == "utf-8" and data[:2].count(0) == 1:  # without a mark, as some editors write it
        encoding = "utf-16-be" if data[0] == 0 else "utf-16-le"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InputError(
            f"{source}:{line}: the text is not UTF-8; fix: save the file as UTF-8"
        ) from None
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _numbered(source: str, rows: Iterable[JsonValue]) -> Iterator[Placed]:
    return ((f"{source}: row {number}", row) for number, row in enumerate(rows, start=1))


def _json_lines(source: str, text: str) -> Iterator[Placed]:
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        place = f"{source}:{number}"
        row: JsonValue | InputError
        try:
            row = _parse(line)
        except json.JSONDecodeError as error:
            row = _broken(place, f"{error.msg.removesuffix(' at')} at character {error.pos + 1}")
        except (RecursionError, ValueError) as error:
            row = _broken(place, str(error))
        yield place, row


def _documents(text: str) -> list[JsonValue] | None:
    """Consecutive JSON objects that each take several lines, as `jq` writes them."""
    decoder, at, found = json.JSONDecoder(), 0, list[JsonValue]()
    try:
        _parse(text[: text.find("\n")])
        return None  # one on each line: a broken one can be told from the others
    except ValueError:
        pass
    try:
        while start := re.compile(r"\s*(?=\S)").match(text, at):
            document, at = decoder.raw_decode(text, start.end())
            found.append(document)
    except (ValueError, RecursionError):
        return None
    return found


def _parse(text: str) -> JsonValue:
    value: JsonValue = json.loads(text)
    return value


def _broken(place: str, cause: str) -> InputError:
    return InputError(f"{place}: broken JSON ({cause}); fix: write one JSON object on each line")


def _parquet_rows(source: str, data: bytes) -> list[JsonValue]:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise MissingExtra("pyarrow", extra="curate") from None
    try:
        rows: list[JsonValue] = pyarrow.parquet.read_table(io.BytesIO(data)).to_pylist()
    except (OSError, ValueError, pyarrow.ArrowException) as error:
        cause = " ".join(str(error).split())[:200]
        raise InputError(f"{source}: broken Parquet ({cause}); fix: download it again") from None
    return rows


def _hub_rows(name: str) -> Iterable[JsonValue]:
    try:
        import datasets
    except ImportError:
        raise MissingExtra("datasets", extra="curate") from None
    name, _, split = name.partition(":")
    try:
        rows: Iterable[JsonValue] = datasets.load_dataset(name, split=split or "train")
    except Exception as error:  # noqa: BLE001 - whatever the Hub's client raises: no such set, no network
        cause = " ".join(str(error).split())[:200]
        raise InputError(
            f"hf:{name}: {cause}; fix: name a data set of the Hub, or a file"
        ) from None
    return rows
