"""The tables of a run's index, and the conversion of documents to their rows."""

import hashlib
import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from genprm.viewer.documents import Document

VERSION = 2  # of the tables below: an index of another one is built again
TABLES = """
CREATE TABLE stamp (value TEXT NOT NULL);
CREATE TABLE entries (
    number INTEGER PRIMARY KEY, id TEXT, kind TEXT, steps INTEGER, first_error INTEGER,
    label INTEGER, wrong INTEGER, lowest REAL, disagreement REAL, abstained INTEGER,
    code_failed INTEGER, tokens INTEGER, failed TEXT, fingerprint TEXT,
    summary TEXT NOT NULL, position INTEGER, length INTEGER, document TEXT
);
CREATE TABLE rewards (number INTEGER NOT NULL, reward REAL NOT NULL);
CREATE INDEX reward_order ON rewards (reward);
CREATE VIRTUAL TABLE texts USING fts5(
    problem, steps, analysis, code, content='', tokenize="unicode61 remove_diacritics 2"
);
"""
_ENTRY = f"INSERT INTO entries VALUES ({', '.join('?' * 18)})"
_REWARD = "INSERT INTO rewards VALUES (?, ?)"
_TEXT = "INSERT INTO texts (rowid, problem, steps, analysis, code) VALUES (?, ?, ?, ?, ?)"


@dataclass(frozen=True, slots=True)
class Placed:
    """A document, and the offset and length of its row in the file, both in bytes.

    `whole` documents are stored in the index, because they are joined from several files.
    """

    document: Document
    position: int
    length: int
    whole: bool = False


def insert(database: sqlite3.Connection, batch: Sequence[Placed]) -> None:
    """Add the documents of a batch."""
    database.executemany(_ENTRY, map(_entry, batch))
    database.executemany(
        _REWARD, [(one.document.index, r) for one in batch for r in one.document.rewards]
    )
    database.executemany(_TEXT, [_texts(one.document) for one in batch])


def _entry(placed: Placed) -> tuple[object, ...]:
    document = placed.document
    summary = document.summary()
    return (
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
        summary.line().decode(),
        placed.position,
        placed.length,
        document.line().decode() if placed.whole else None,
    )


def _texts(document: Document) -> tuple[int, str, str, str, str]:
    votes = [vote for step in document.steps for vote in step.votes]
    steps = [step.text for step in document.steps] + [turn.text for turn in document.turns]
    code = [part for vote in votes for run in vote.runs for part in (run.code, run.output)]
    analyses = [vote.analysis for vote in votes] + list(document.critiques)
    problem = f"{document.id}\n{document.problem}"
    return document.index, problem, "\n".join(steps), "\n".join(analyses), "\n".join(code)


def fingerprint(document: Document) -> str:
    """Identifies the same solution in two runs; for a problem with many solutions, the problem."""
    steps = [step.text for step in document.steps] if document.kind in ("solution", "path") else []
    text = json.dumps([document.problem, *steps])
    return hashlib.blake2b(text.encode(), digest_size=12).hexdigest()
