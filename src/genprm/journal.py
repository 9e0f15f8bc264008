"""Append-only runs: a JSON Lines file that survives `kill -9`, and goes on.

A run is `rows.jsonl` plus `rows.jsonl.run.json`, which holds the configuration that made it.
Rows are appended whole as they finish, in any order; when all are there the file is put into the
order asked for. Opening it again with the same configuration goes on after the rows that are
there (a torn last line is dropped: that row is made again); another configuration is refused.
"""

import fcntl
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import Any, Self

from genprm.errors import JournalError

Row = dict[str, Any]
_SYNC_EVERY = 1.0  # seconds: what a power cut may cost; a killed process costs nothing


class Journal:
    """One run's rows, each with its own value of the field `key`.

    >>> with Journal(Path("out.jsonl"), {"votes": 8}, key="row") as journal:
    ...     if 0 not in journal:
    ...         journal.append({"row": 0, "first_error": -1})
    ...     journal.finish([0])

    Raises:
        JournalError: another configuration, another process, a foreign or damaged file, a full
            disk. Its text says which and how to mend it.
    """

    def __init__(self, path: Path, configuration: Mapping[str, Any], *, key: str) -> None:
        self.path = path
        self.key = key
        self._configuration = json.loads(json.dumps(configuration))
        self._claim = path.with_name(path.name + ".run.json")
        self._lines: dict[Any, tuple[int, int]] = {}  # key -> (offset, length)
        self._end = 0
        self._synced = monotonic()

    def __enter__(self) -> Self:
        try:
            self._check_foreign()
            self._lock = os.open(self._claim, os.O_RDWR | os.O_CREAT, 0o644)
            try:
                self._acquire()
                self._file = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o644)
                self._read()
            except BaseException:
                os.close(self._lock)
                raise
        except OSError as error:
            raise self._unwritable(error) from None
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        os.close(self._file)
        os.close(self._lock)

    def __contains__(self, key: object) -> bool:
        return key in self._lines

    def __len__(self) -> int:
        return len(self._lines)

    def rows(self) -> Iterator[Row]:
        """The rows that are there, in the file's order."""
        for offset, length in list(self._lines.values()):
            row: Row = json.loads(os.pread(self._file, length, offset))
            yield row

    def append(self, row: Row) -> None:
        """Write one finished row. A row is there whole or not at all."""
        if row[self.key] in self._lines:
            raise JournalError(f"{self.path}: {self.key} {row[self.key]!r} is there already")
        line = json.dumps(row, ensure_ascii=False).encode() + b"\n"
        try:
            _write(self._file, line, self._end)
            if monotonic() - self._synced > _SYNC_EVERY:
                os.fsync(self._file)
                self._synced = monotonic()
        except OSError as error:
            os.ftruncate(self._file, self._end)
            raise self._unwritable(error) from None
        self._lines[row[self.key]] = (self._end, len(line))
        self._end += len(line)

    def finish(self, order: Iterable[Any]) -> None:
        """Put the rows into this order of keys, atomically, their bytes unchanged."""
        keys = [key for key in order if key in self._lines]
        if keys == list(self._lines):
            os.fsync(self._file)
            return
        ordered = self.path.with_name(self.path.name + ".ordered")
        try:
            with ordered.open("wb") as copy:
                for key in keys:
                    offset, length = self._lines[key]
                    copy.write(os.pread(self._file, length, offset))
                copy.flush()
                os.fsync(copy.fileno())
            ordered.replace(self.path)
        except OSError as error:
            ordered.unlink(missing_ok=True)
            raise self._unwritable(error) from None
        os.close(self._file)
        self._file = os.open(self.path, os.O_RDWR)
        self._read()

    def _check_foreign(self) -> None:
        if self.path.is_dir():
            raise JournalError(f"{self.path} is a folder; fix: name a file")
        if not self._claim.exists() and self.path.exists() and self.path.stat().st_size:
            raise JournalError(
                f"{self.path} exists and was not written by a resumable run; "
                "fix: name another output, or remove it"
            )

    def _acquire(self) -> None:
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise JournalError(f"{self.path} is being written by another process") from None
        claimed = os.pread(self._lock, os.fstat(self._lock).st_size, 0)
        try:
            there = json.loads(claimed) if claimed.endswith(b"\n") else None
        except ValueError:
            there = None
        if there is None and self.path.exists() and self.path.stat().st_size:
            raise JournalError(f"{self._claim} is damaged; fix: remove it and {self.path}")
        if there is None:  # new, or killed before its first row
            text = json.dumps(self._configuration, indent=1, ensure_ascii=False) + "\n"
            os.ftruncate(self._lock, 0)
            _write(self._lock, text.encode(), 0)
            os.fsync(self._lock)
        elif there != self._configuration:
            raise JournalError(
                f"{self.path} was begun with other settings: "
                f"{'; '.join(_differences(there, self._configuration))}; "
                "fix: the same settings, or another output"
            )

    def _read(self) -> None:
        self._lines.clear()
        self._end = 0
        with self.path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                if not line.endswith(b"\n"):
                    break
                try:
                    key = json.loads(line)[self.key]
                except (ValueError, KeyError, TypeError):
                    raise JournalError(
                        f"{self.path}:{number}: not a row of this run; "
                        "fix: remove the line to have it made again"
                    ) from None
                self._lines[key] = (self._end, len(line))
                self._end += len(line)
        os.ftruncate(self._file, self._end)

    def _unwritable(self, error: OSError) -> JournalError:
        return JournalError(
            f"cannot write {self.path}: {error.strerror}; what was finished is kept"
        )


def _write(file: int, data: bytes, offset: int) -> None:
    while data:
        written = os.pwrite(file, data, offset)
        data, offset = data[written:], offset + written


def _differences(there: Any, asked: Any, name: str = "") -> Iterator[str]:
    if isinstance(there, dict) and isinstance(asked, dict):
        for key in sorted({*there, *asked}):
            yield from _differences(there.get(key), asked.get(key), f"{name}.{key}".lstrip("."))
    elif there != asked:
        yield f"{name} is {json.dumps(there)} there and {json.dumps(asked)} now"
