"""Append-only runs: a JSON Lines file that survives `kill -9` and can be resumed.

A run is `rows.jsonl` plus `rows.jsonl.run.json`, which holds the `RunSpec` that made it. Rows are
appended whole as they finish, in any order; when all are there, the file is put into the requested
order. Opening it again under the same spec resumes after the rows that are there (an incomplete
last line is dropped, and its row is computed again). Another spec is refused, and the message
names the fields that differ.
"""

import fcntl
import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from stat import S_ISREG
from time import monotonic
from types import TracebackType
from typing import Generic, Self, TypeVar

from pydantic import JsonValue, ValidationError

from genprm.errors import JournalError
from genprm.records.failures import FailedRow
from genprm.records.record import Key, Row
from genprm.records.run_spec import RunSpec, differences

R = TypeVar("R", bound=Row)
_SYNC_EVERY = 1.0  # seconds: what a power cut may cost; a killed process costs nothing


class Journal(Generic[R]):
    """One run's rows of one type, each with its own key.

    With `retry_failed`, rows that were stored as failed are computed again.

    >>> with Journal(Path("out.jsonl"), RunSpec(command="verify"), VerdictRow) as journal:
    ...     if 0 not in journal:
    ...         journal.append(row)
    ...     journal.finish([0])

    Raises:
        JournalError: the run has another spec or is open in another process, the file is damaged or
            not a run, or the disk is full. The text says which, and how to fix it.
    """

    def __init__(
        self, path: Path, spec: RunSpec, row_type: type[R], *, retry_failed: bool = False
    ) -> None:
        self.path = path
        self.row_type = row_type
        self._spec = spec.json_object()
        self._retry_failed = retry_failed
        self._claim = run_file(path)
        self._lines: dict[Key, tuple[int, int]] = {}  # key -> (offset, length)
        self._unmade: set[Key] = set()
        self._end = 0
        self._synced = monotonic()

    def __enter__(self) -> Self:
        try:
            self._check_path()
            self._lock = os.open(self._claim, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o644)
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

    def rows(self) -> Iterator[R]:
        """The rows that are there, in the file's order; without those that could not be made.

        Raises:
            JournalError: a row is damaged.
        """
        for key, (offset, length) in list(self._lines.items()):
            if key not in self._unmade:
                line = os.pread(self._file, length, offset)
                try:
                    yield self.row_type.parse(line)
                except ValidationError as error:
                    raise self._damaged(f"row {key!r}", error) from None

    @property
    def unmade(self) -> int:
        """How many rows could not be made, and are stored as a `FailedRow`."""
        return len(self._unmade)

    def append(self, row: R | FailedRow) -> None:
        """Write one finished row. A row is there whole or not at all."""
        key = row.key_of(self.row_type.KEY)
        if key in self._lines:
            raise JournalError(f"{self.path}: {self.row_type.KEY} {key!r} is stored already")
        line = row.line()
        try:
            _write(self._file, line, self._end)
            if monotonic() - self._synced > _SYNC_EVERY:
                os.fsync(self._file)
                self._synced = monotonic()
        except OSError as error:
            os.ftruncate(self._file, self._end)
            raise self._unwritable(error) from None
        self._lines[key] = (self._end, len(line))
        self._end += len(line)
        if isinstance(row, FailedRow):
            self._unmade.add(key)

    def finish(self, order: Iterable[Key]) -> None:
        """Put the rows into this order of keys, atomically, their bytes unchanged."""
        keys = [key for key in order if key in self._lines]
        whole = sum(length for _, length in self._lines.values()) == self._end
        if keys == list(self._lines) and whole:
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
        self._retry_failed = False  # what is failed now failed in this session
        self._read()

    def _check_path(self) -> None:
        if self.path.is_dir():
            raise JournalError(f"{self.path} is a folder; fix: name a file")
        if self.path.exists() and not S_ISREG(self.path.stat().st_mode):
            raise JournalError(
                f"{self.path} is not a regular file, so a run in it cannot be resumed; "
                "fix: name a file, or print the rows with --json"
            )
        if not self._claim.exists() and self.path.exists() and self.path.stat().st_size:
            raise JournalError(
                f"{self.path} exists and was not written by a resumable run; "
                "fix: name another output, or remove it; more: genprm explain foreign-output"
            )

    def _acquire(self) -> None:
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise JournalError(f"{self.path} is being written by another process") from None
        text = json.dumps(self._spec, indent=1, ensure_ascii=False).encode() + b"\n"
        stored = os.pread(self._lock, os.fstat(self._lock).st_size, 0)
        if text.startswith(stored) and stored != text and not self._has_rows():
            _write(self._lock, text, 0)  # new, or killed while the spec was being written
            os.fsync(self._lock)
            return
        spec = _object(stored)
        if spec is None:
            raise JournalError(
                f"{self._claim} is not the run file of a genprm command, or is damaged; "
                f"fix: name another output, or remove it and {self.path}"
            )
        if changed := list(differences(spec, self._spec)):
            raise JournalError(
                f"{self.path} was started with a different configuration: {'; '.join(changed)}; "
                "fix: use the same configuration, or name another output; "
                "more: genprm explain changed-run"
            )

    def _has_rows(self) -> bool:
        return self.path.exists() and self.path.stat().st_size > 0

    def _read(self) -> None:
        self._lines.clear()
        self._unmade.clear()
        self._end = 0
        with self.path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                if not line.endswith(b"\n"):
                    break
                row = _object(line) or {}
                key = row.get(self.row_type.KEY)
                if not isinstance(key, Key) or isinstance(key, bool):
                    raise self._damaged(f"line {number}", "not a row of this run")
                self._forget(key)
                if not (self._retry_failed and row.get("failed")):
                    self._lines[key] = (self._end, len(line))
                    if row.get("kind") == "failed":
                        self._unmade.add(key)
                self._end += len(line)
        os.ftruncate(self._file, self._end)

    def _forget(self, key: Key) -> None:
        self._lines.pop(key, None)
        self._unmade.discard(key)

    def _damaged(self, place: str, cause: object) -> JournalError:
        first = str(cause).splitlines()[0]
        return JournalError(
            f"{self.path}: {place}: {first}; fix: remove that line; its row is then computed again"
        )

    def _unwritable(self, error: OSError) -> JournalError:
        return JournalError(
            f"cannot write {self.path}: {error.strerror}; finished rows are kept; "
            "fix: choose a place that can be written, or make room, and run the command again"
        )


def run_file(path: Path) -> Path:
    """The file beside a run's rows that holds its spec."""
    return path.with_name(path.name + ".run.json")


def _object(text: bytes) -> dict[str, JsonValue] | None:
    """The JSON object that a text holds, or None."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _write(file: int, data: bytes, offset: int) -> None:
    while data:
        written = os.pwrite(file, data, offset)
        data, offset = data[written:], offset + written
