"""The index of a run: SQLite with full-text search, beside the run, rebuilt when the run changes.

If the run's folder cannot be written to, the index is in a private folder for temporary files.
While an index is being built, queries are answered from the rows that it already holds.
"""

import hashlib
import os
import sqlite3
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from functools import cache
from pathlib import Path
from threading import Event
from typing import NamedTuple

from genprm.errors import InputError
from genprm.viewer.building import Build, connect, read_stamp, stamp_of
from genprm.viewer.documents import Document, Summary
from genprm.viewer.facts import Facts
from genprm.viewer.query import Query
from genprm.viewer.reader import read_document
from genprm.viewer.runs import RunFiles
from genprm.viewer.tables import TABLES


class VerdictSummary(NamedTuple):
    """What a comparison needs from a row. `fingerprint` finds the solution in another run."""

    number: int
    fingerprint: str
    first_error: int | None
    wrong: int | None
    lowest: float | None


class RunIndex:
    """Answers the page's queries about one run. Safe to use from several threads."""

    def __init__(self, run: RunFiles) -> None:
        self.run = run
        self.stopped = Event()
        self._file = run.anchor.with_name(run.anchor.name + ".view.sqlite3")
        self._build: Build | None = None

    def is_current(self) -> bool:
        """Whether the index holds the run as it is now.

        Raises:
            InputError: the run cannot be read.
        """
        try:
            now = stamp_of(self.run)
            if self._fallback().exists() and not self._file.exists():
                self._file = self._fallback()
            stamp = read_stamp(self._file)
        except OSError as error:
            raise InputError(f"{self.run.path}: {error.strerror}") from None
        return stamp is not None and stamp.same_state(now)

    def refresh(self) -> None:
        """Build the index if it is missing or the run has changed since.

        Raises:
            InputError: the run cannot be read.
        """
        if self.is_current():
            return
        try:
            try:
                self._build_at(self._file)
            except (OSError, sqlite3.OperationalError):
                if self._file == self._fallback():
                    raise
                self._file = self._fallback()
                self._build_at(self._file)
        except (OSError, sqlite3.Error) as error:
            cause = getattr(error, "strerror", None) or error
            raise InputError(f"{self.run.path}: {cause}; fix: free space in its folder") from None

    @property
    def share(self) -> float:
        """The share of the run that is in the index, from 0 to 1."""
        build = self._build
        return 1.0 if build is None else build.share

    def facts(self) -> Facts:
        """The counts of the rows in the index."""
        with self._open() as database:
            return Facts.of(database)

    def find(self, query: Query) -> tuple[int, list[str]]:
        """The number of rows that a query finds, and the requested summaries as JSON."""
        where, values = query.condition()
        with self._open() as database:
            total: int = database.execute(
                f"SELECT count(*) FROM entries WHERE {where}", values
            ).fetchone()[0]
            rows = database.execute(
                f"SELECT summary FROM entries WHERE {where} ORDER BY {query.order()} "
                "LIMIT ? OFFSET ?",
                [*values, query.limit, query.offset],
            ).fetchall()
        return total, [text for (text,) in rows]

    def page(self, query: Query) -> tuple[int, list[Summary]]:
        """Like `find`, with the summaries parsed."""
        total, found = self.find(query)
        return total, [Summary.model_validate_json(text) for text in found]

    def numbers(self, query: Query) -> list[int]:
        """The numbers of all rows that a query finds, in its order."""
        where, values = query.condition()
        with self._open() as database:
            rows = database.execute(
                f"SELECT number FROM entries WHERE {where} ORDER BY {query.order()}", values
            )
            return [number for (number,) in rows]

    def document(self, number: int) -> Document | None:
        """One complete row; None if there is no such row."""
        with self._open() as database:
            row = database.execute(
                "SELECT position, length, document FROM entries WHERE number = ?", (number,)
            ).fetchone()
        if row is None:
            return None
        position, length, stored = row
        if stored is not None:
            return Document.model_validate_json(stored)
        with self.run.path.open("rb") as rows:
            rows.seek(position)
            return read_document(rows.read(length), number)

    def verdicts(self) -> list[VerdictSummary]:
        """What a comparison needs from every row, in the order of the run."""
        with self._open() as database:
            rows = database.execute(
                "SELECT number, fingerprint, first_error, wrong, lowest FROM entries "
                "ORDER BY number"
            )
            return [VerdictSummary(*row) for row in rows]

    def summaries(self, numbers: Iterable[int]) -> list[Summary]:
        """The summaries of these rows, in this order."""
        with self._open() as database:
            found = [
                database.execute("SELECT summary FROM entries WHERE number = ?", (number,))
                for number in numbers
            ]
            return [Summary.model_validate_json(rows.fetchone()[0]) for rows in found]

    def _build_at(self, file: Path) -> None:
        build = Build(self.run, file)
        rows = build.start()
        self._build = build
        try:
            build.fill(rows, self.stopped)
        finally:
            self._build = None

    def _fallback(self) -> Path:
        name = hashlib.sha256(str(self.run.path.resolve()).encode()).hexdigest()
        return _private_folder() / f"{name}.view.sqlite3"

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        """A connection to the draft if there is one, and otherwise to the finished index."""
        with closing(self._connection()) as database:
            yield database

    def _connection(self) -> sqlite3.Connection:
        build = self._build
        if build is not None:
            with suppress(sqlite3.OperationalError):  # the draft has just become the index
                return connect(build.draft)
        if self._file.exists():
            return connect(self._file)
        nothing = sqlite3.connect(":memory:")  # the index is not being built yet
        nothing.executescript(TABLES)
        return nothing


@cache
def _private_folder() -> Path:
    folder = Path(tempfile.gettempdir()) / f"genprm-view-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    state = folder.lstat()
    if state.st_uid != os.getuid() or state.st_mode & 0o077 or folder.is_symlink():
        return Path(tempfile.mkdtemp(prefix="genprm-view-"))
    return folder
