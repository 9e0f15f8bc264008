"""Writes a file of JSON rows as one Parquet file, however many rows it has."""

import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import JsonValue

from genprm.errors import InputError, JournalError
from genprm.files import Row

_BATCH = 1_000  # rows that are in memory at the same time


def write_parquet(source: Path, target: Path) -> None:
    """Write the rows of `source` to `target`, completely or not at all.

    The type of each column is determined from all rows first. An object without fields, which
    Parquet does not support, becomes a missing value.

    Raises:
        InputError: a field has values of incompatible types.
        JournalError: the target cannot be written to.
    """
    schema = pa.schema([])
    try:
        for rows in _batches(source):
            found = pa.Table.from_pylist(rows).schema
            schema = pa.unify_schemas([schema, found], promote_options="permissive")
        draft = target.with_name(target.name + ".draft")
        with pq.ParquetWriter(draft, schema, compression="zstd") as writer:
            for rows in _batches(source):
                writer.write_table(pa.Table.from_pylist(rows, schema=schema))
        draft.replace(target)
    except pa.ArrowException as error:
        raise InputError(
            f"{target}: the rows do not fit a Parquet file ({' '.join(str(error).split())[:200]}); "
            f"fix: read them from {source.name}, or name an output that ends in .jsonl"
        ) from None
    except OSError as error:
        raise JournalError(
            f"cannot write {target}: {error.strerror or error}; the rows are in {source}; "
            "fix: make room, and run the command again"
        ) from None


def _batches(source: Path) -> Iterator[list[Row]]:
    with source.open("rb") as lines:
        while batch := [_without_empty(json.loads(line)) for line in islice(lines, _BATCH)]:
            yield batch


def _without_empty(row: Row) -> Row:
    return {name: _filled(value) for name, value in row.items()}


def _filled(value: JsonValue) -> JsonValue:
    if isinstance(value, dict):
        return _without_empty(value) or None
    if isinstance(value, list):
        return [_filled(item) for item in value]
    return value
