"""Builds the index of a run in batches, so that finished parts can be shown meanwhile.

The rows are written to a draft, which replaces the index when it is complete. If a run has only
grown since the last time, the build continues from there; a hash of the bytes read so far shows
whether it has.
"""

import hashlib
import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path
from threading import Event

from pydantic import Field

from genprm.records.record import Record
from genprm.viewer.runs import RunFiles
from genprm.viewer.tables import TABLES, VERSION, Placed, insert

BATCH = 200  # rows
_WAIT = 30.0  # seconds for a reader or writer to be done


class Stamp(Record):
    """What a finished index was built from: the run's files, and the first `size` bytes of rows.

    `digest` is the hash of those bytes.
    """

    version: int = VERSION
    path: str
    files: tuple[tuple[str, int, int], ...]  # names, sizes, times of the last change
    size: int = 0
    digest: str = ""
    rows: int = Field(default=0, ge=0)

    def same_state(self, other: "Stamp") -> bool:
        """Whether the run has not changed between the two."""
        return (self.version, self.path, self.files) == (other.version, other.path, other.files)


def stamp_of(run: RunFiles) -> Stamp:
    """The stamp of the run as it is now, before any row is read."""
    return Stamp(path=str(run.path.resolve()), files=run.stamp())


def read_stamp(file: Path) -> Stamp | None:
    """The stamp of a finished index; None if there is no valid one."""
    if not file.exists():
        return None
    try:
        with closing(connect(file)) as database:
            row = database.execute("SELECT value FROM stamp").fetchone()
        return Stamp.model_validate_json(row[0]) if row else None
    except (sqlite3.DatabaseError, ValueError):  # damaged, or another program's
        return None


def connect(file: Path) -> sqlite3.Connection:
    """A read-only connection."""
    uri = f"{file.resolve().as_uri()}?mode=ro"
    return sqlite3.connect(uri, uri=True, timeout=_WAIT)


class Build:
    """One build of an index, in `draft`."""

    def __init__(self, run: RunFiles, file: Path) -> None:
        self.run = run
        self.file = file
        self.draft = file.with_name(f"{file.name}.{os.getpid()}.draft")
        self.size = run.path.stat().st_size if run.path.is_file() else 0
        self.read = 0  # bytes

    @property
    def share(self) -> float:
        """The share of the run that has been read, from 0 to 1."""
        return min(1.0, self.read / self.size) if self.size else 0.0

    def start(self) -> int:
        """Create the draft, from the finished index if the run has only grown.

        Returns:
            The number of rows that it already holds.
        """
        _remove_orphans(self.file)
        self.draft.unlink(missing_ok=True)
        old = read_stamp(self.file)
        if old is not None and self._continues(old):
            with closing(connect(self.file)) as source, closing(self._open()) as database:
                source.backup(database)
                with database:
                    database.execute("DELETE FROM stamp")
            self.read = old.size
            return old.rows
        with closing(self._open()) as database:
            database.executescript(TABLES)
        return 0

    def fill(self, rows: int, stopped: Event) -> bool:
        """Read the remaining rows into the draft, which then becomes the index.

        Returns:
            False if it was stopped before that.
        """
        stamp = stamp_of(self.run)
        try:
            with closing(self._open()) as database:
                for batch in _batches(self._placed(rows), BATCH):
                    if stopped.is_set():
                        return False
                    with database:
                        insert(database, batch)
                    rows += len(batch)
                    self.read = batch[-1].position + batch[-1].length
                digest = "" if self.run.curation else _digest_of(self.run.path, self.read)
                done = stamp.model_copy(update={"size": self.read, "digest": digest, "rows": rows})
                with database:
                    database.execute("INSERT INTO stamp VALUES (?)", (done.model_dump_json(),))
            self.draft.replace(self.file)
            return True
        finally:
            self.draft.unlink(missing_ok=True)

    def _placed(self, rows: int) -> Iterator[Placed]:
        if self.run.curation:
            yield from (Placed(document, 0, 0, whole=True) for document in self.run.joined())
            return
        for document, position, length in self.run.documents(self.read, rows):
            yield Placed(document, position, length)

    def _continues(self, old: Stamp) -> bool:
        """Whether the run's file still begins with the bytes that the old index was built from."""
        now = stamp_of(self.run)
        if self.run.curation or (old.version, old.path) != (now.version, now.path):
            return False
        return 0 < old.size <= self.size and _digest_of(self.run.path, old.size) == old.digest

    def _open(self) -> sqlite3.Connection:
        database = sqlite3.connect(self.draft, timeout=_WAIT)
        database.execute("PRAGMA synchronous = OFF")  # a draft that is lost is made again
        database.execute("PRAGMA journal_mode = MEMORY")
        database.execute("PRAGMA cache_size = -65536")
        return database


def _batches(rows: Iterable[Placed], size: int) -> Iterator[list[Placed]]:
    waiting = iter(rows)
    while batch := list(islice(waiting, size)):
        yield batch


def _digest_of(file: Path, size: int) -> str:
    """The hash of a file's first bytes."""
    digest = hashlib.blake2b(digest_size=16)
    with file.open("rb") as rows:
        while size and (block := rows.read(min(size, 1 << 20))):
            digest.update(block)
            size -= len(block)
    return digest.hexdigest()


def _remove_orphans(file: Path) -> None:
    """Remove drafts that killed processes have left behind."""
    for draft in file.parent.glob(f"{file.name}.*.draft"):
        number = draft.name.split(".")[-2]
        if number.isdecimal() and not Path(f"/proc/{number}").exists():
            draft.unlink(missing_ok=True)
