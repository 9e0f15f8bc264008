"""Corrections by people: a journal beside the run, with one line for each correction.

Lines are only appended. A later line on the same step replaces the earlier one, and one without a
label withdraws it.
"""

import fcntl
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from genprm.errors import InputError
from genprm.records.record import SCHEMA_VERSION, Record, Text
from genprm.records.validation import first_fault

_LONGEST = 20_000  # characters of a reason


class Asked(BaseModel):
    """The request of the page. With `label` None, the correction of this step is withdrawn."""

    model_config = ConfigDict(extra="forbid")

    index: Annotated[int, Field(ge=0)]
    step: Annotated[int, Field(ge=0)]
    vote: Annotated[int, Field(ge=0)] | None = None
    label: bool | None
    reason: Annotated[Text, Field(max_length=_LONGEST)] = ""


class Correction(Record):
    """One line of the journal.

    `index` is the row's place in the run, and `step` that of the step in its document, both from 0.
    `vote` is the vote that was shown. `fingerprint` identifies the solution, so that a correction
    is never applied to another one.
    """

    schema_version: int = SCHEMA_VERSION  # version of the row's format
    at: str  # time of the correction
    index: int  # place of the row in the run, from 0
    id: Text  # id of the row
    fingerprint: str  # names the solution
    step: int  # number of the step, from 0
    vote: int | None = None  # number of the vote that was shown
    was: bool | None  # the label that the run gave
    label: bool | None  # the corrected label; None withdraws a correction
    reason: Text = ""  # what the person wrote


def append_correction(file: Path, correction: Correction) -> None:
    """Append one correction, completely or not at all, and safely beside other processes.

    Raises:
        InputError: the file cannot be written.
    """
    line = correction.line()
    try:
        handle = os.open(file, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            end = os.fstat(handle).st_size
            if end and os.pread(handle, 1, end - 1) != b"\n":
                line = b"\n" + line  # an earlier line was torn
            if os.write(handle, line) != len(line):
                os.ftruncate(handle, end)
                raise OSError("the disk is full")
            os.fsync(handle)
        finally:
            os.close(handle)
    except OSError as error:
        raise InputError(
            f"{file}: {error.strerror or error}; fix: make the run's folder writable"
        ) from None


def read_corrections(file: Path) -> list[Correction]:
    """The current corrections in the order of rows and steps, without incomplete lines."""
    standing: dict[tuple[int, int], Correction] = {}
    for line in file.read_bytes().splitlines() if file.exists() else ():
        try:
            correction = Correction.model_validate_json(line)
        except ValidationError:
            continue
        standing.pop((correction.index, correction.step), None)
        if correction.label is not None:
            standing[correction.index, correction.step] = correction
    return [standing[place] for place in sorted(standing)]


def now() -> str:
    """The current time as a correction records it."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def parse_asked(body: object) -> Asked:
    """Parse the request of the page.

    Raises:
        InputError: it is not a correction.
    """
    try:
        return Asked.model_validate(body)
    except ValidationError as error:
        raise InputError(first_fault(error)) from None


def of_row(corrections: Sequence[Correction], index: int) -> list[Correction]:
    """The corrections of one row."""
    return [correction for correction in corrections if correction.index == index]
