"""A run's index: SQLite with full-text search, beside the run, built again when the run changes.

Where the run's folder cannot be written, the index lies in a private folder for temporary files.
"""

import hashlib
import json
import os
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from genprm.errors import InputError
from genprm.viewer.documents import Document, Summary
from genprm.viewer.query import Query
from genprm.viewer.reader import read_document
from genprm.viewer.runs import RunFiles

_VERSION = 1  # of the tables below: another one is built again
_TABLES = """
CREATE TABLE stamp (value TEXT NOT NULL);
CREATE TABLE entries (
    number INTEGER PRIMARY KEY, id TEXT, kind TEXT, steps INTEGER, first_error INTEGER,
    label INTEGER, wrong INTEGER, lowest REAL, disagreement REAL, abstained INTEGER,
    code_failed INTEGER, tokens INTEGER, failed TEXT, fingerprint TEXT,
    summary TEXT NOT NULL, position INTEGER, length INTEGER, document TEXT
);
CREATE VIRTUAL TABLE texts USING fts5(
    problem, steps, analysis, code, content='', tokenize="unicode61 remove_diacritics 2"
);
"""
_SPACE = "CREATE INDEX {0}_order ON entries ({0})"


class RunIndex:
    """Answers the page's questions about one run. Safe to use from several threads."""

    def __init__(self, run: RunFiles) -> None:
        self.run = run
        self._file = run.anchor.with_name(run.anchor.name + ".view.sqlite3")

    def refresh(self) -> None:
        """Build the index where it is missing or the run has changed since.

        Raises:
            InputError: the run cannot be read.
        """
        try:
            stamp = json.dumps([_VERSION, str(self.run.path.resolve()), self.run.stamp()])
            if self._stamp() == stamp:
                return
            try:
                self._build(stamp)
            except (OSError, sqlite3.OperationalError):
                name = hashlib.sha256(str(self.run.path.resolve()).encode()).hexdigest()
                fallback = _private_folder() / f"{name}.view.sqlite3"
                if self._file == fallback:
                    raise
                self._file = fallback
                if self._stamp() != stamp:
                    self._build(stamp)
        except OSError as error:
            raise InputError(f"{self.run.path}: {error.strerror}") from None

    def count(self) -> int:
        """How many rows the run has."""
        with self._open() as database:
            found: int = database.execute("SELECT count(*) FROM entries").fetchone()[0]
        return found

    def page(self, query: Query) -> tuple[int, list[Summary]]:
        """How many rows a query finds, and those of them that it asks for."""
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
        return total, [Summary.model_validate_json(text) for (text,) in rows]

    def document(self, number: int) -> Document | None:
        """One row whole; None where there is no such row."""
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

    def documents(self) -> Iterator[Document]:
        """All rows whole, in order."""
        for number in range(self.count()):
            if (document := self.document(number)) is not None:
                yield document

    def fingerprints(self) -> list[tuple[str, Summary]]:
        """What tells the same solution in another run, and the summary, in the run's order."""
        with self._open() as database:
            rows = database.execute("SELECT fingerprint, summary FROM entries ORDER BY number")
            return [(name, Summary.model_validate_json(text)) for name, text in rows]

    def _stamp(self) -> str | None:
        if not self._file.exists():
            return None
        try:
            with self._open() as database:
                row = database.execute("SELECT value FROM stamp").fetchone()
        except sqlite3.DatabaseError:  # a damaged index, or none of ours
            return None
        return row[0] if row else None

    def _build(self, stamp: str) -> None:
        draft = self._file.with_name(f"{self._file.name}.{os.getpid()}.draft")
        draft.unlink(missing_ok=True)
        try:
            with closing(sqlite3.connect(draft)) as database:
                database.execute("PRAGMA journal_mode = OFF")
                database.execute("PRAGMA synchronous = OFF")
                database.executescript(_TABLES)
                with database:
                    for document, position, length in self.run.documents():
                        _insert(database, document, position, length, whole=self.run.curation)
                    for column in ("lowest", "disagreement", "tokens"):
                        database.execute(_SPACE.format(column))
                    database.execute("INSERT INTO stamp VALUES (?)", (stamp,))
            draft.replace(self._file)
        finally:
            draft.unlink(missing_ok=True)

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        uri = f"{self._file.resolve().as_uri()}?mode=ro"
        with closing(sqlite3.connect(uri, uri=True)) as database:
            yield database


def _insert(
    database: sqlite3.Connection, document: Document, position: int, length: int, *, whole: bool
) -> None:
    summary = document.summary()
    database.execute(
        f"INSERT INTO entries VALUES ({', '.join('?' * 18)})",
        (
            document.index,
            document.id,
            document.kind,
            summary.steps,
            document.first_error,
            document.label,
            summary.wrong,
            summary.lowest,
            summary.disagreement,
            summary.abstained,
            summary.code_failed,
            summary.tokens,
            summary.failed,
            fingerprint(document),
            summary.line(),
            position,
            length,
            document.line() if whole else None,
        ),
    )
    votes = [vote for step in document.steps for vote in step.votes]
    steps = [step.text for step in document.steps] + [turn.text for turn in document.turns]
    code = [part for vote in votes for run in vote.runs for part in (run.code, run.output)]
    analyses = [vote.analysis for vote in votes] + list(document.critiques)
    texts = (f"{document.id}\n{document.problem}", *map("\n".join, (steps, analyses, code)))
    database.execute(
        "INSERT INTO texts (rowid, problem, steps, analysis, code) VALUES (?, ?, ?, ?, ?)",
        (document.index, *texts),
    )


def fingerprint(document: Document) -> str:
    """What tells the same solution in two runs; of a problem with many solutions, the problem."""
    steps = [step.text for step in document.steps] if document.kind in ("solution", "path") else []
    text = json.dumps([document.problem, *steps])
    return hashlib.blake2b(text.encode(), digest_size=12).hexdigest()


def _private_folder() -> Path:
    folder = Path(tempfile.gettempdir()) / f"genprm-view-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    state = folder.lstat()
    if state.st_uid != os.getuid() or state.st_mode & 0o077 or folder.is_symlink():
        return Path(tempfile.mkdtemp(prefix="genprm-view-"))
    return folder
