"""A run on an object store: written to a folder on this machine and copied there as it grows.

A run appends rows to its files, but object stores cannot append. So every few seconds the new part
of a file becomes an object of its own, and at the end each file becomes one object.

    rows.jsonl                         the whole file, once the rows are in order
    .genprm-parts/writer               who writes the run, while it is in progress
    .genprm-parts/rows.jsonl/A-B       the bytes from B on, if the whole object has A bytes

A command that was killed continues from the folder on the same machine, with every row. On another
machine it continues from what had been copied, and takes the run over: the earlier writer stops.
"""

import contextlib
import fcntl
import json
import os
import shutil
import uuid
from collections.abc import Collection, Iterator
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from threading import Event, Thread
from types import TracebackType
from typing import BinaryIO, Protocol, Self

from genprm.errors import JournalError

EVERY = 5.0  # seconds between two copies
PARTS = ".genprm-parts"
_ROWS = ".jsonl"
_DRAFTS = (".draft", ".ordered")
_SMALL = 1 << 20  # larger files that hold no rows are copied at the end
_PART = 64 << 20  # bytes at most


class Store(Protocol):
    """A store of named objects. All calls may raise OSError."""

    def sizes(self, place: str = "") -> dict[str, int]:
        """The size of every object below a folder, or of the one that has this name.

        The keys are full names.
        """
        ...

    def read(self, name: str) -> bytes:
        """The content of an object; empty if there is none."""
        ...

    def write(self, name: str, data: bytes) -> None:
        """Write an object."""
        ...

    def upload(self, name: str, file: BinaryIO, size: int) -> None:
        """Write the next `size` bytes of a file as an object."""
        ...

    def download(self, name: str, file: BinaryIO) -> None:
        """Append an object to a file."""
        ...

    def remove(self, names: Collection[str]) -> None:
        """Remove objects, and ignore those that do not exist."""
        ...


@dataclass(slots=True)
class Copied:
    """The stored part of a file of rows: a whole object of `base` bytes, `size` with its parts."""

    inode: int
    base: int = 0
    size: int = 0


class Mirror:
    """A folder on this machine that is copied to a store while it is open.

    Args:
        url: the URL of the store, for messages and for the name of the folder.
        store: the store that receives the copies.
        names: the files of the run, if there are other files in the same place; by default, all.

    Raises:
        JournalError: the store cannot be read or written to, or another process on this machine is
            writing the run; on leaving also: another command has taken the run over.
    """

    def __init__(
        self, url: str, store: Store, names: Collection[str] = (), *, every: float = EVERY
    ) -> None:
        self.url = url
        self._store = store
        self._names = frozenset(names)
        self._every = every
        identity = "\n".join([url, *sorted(self._names)])
        self._place = cache() / sha256(identity.encode()).hexdigest()[:20]
        self.folder = self._place / "files"
        first = min(self._names, default="")
        self._writer_name = "/".join(filter(None, (PARTS, first, "writer")))
        self._writer = ""
        self._copied: dict[str, Copied] = {}
        self._others: dict[str, float] = {}  # when each of the other files was last changed
        self._ended = Event()
        self._lost = False  # another command writes now
        self._thread = Thread(target=self._copy_often, name="mirror", daemon=True)

    def __enter__(self) -> Self:
        self._place.mkdir(parents=True, exist_ok=True)
        self._lock = os.open(self._place / "lock", os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._begin()
        except BlockingIOError:
            os.close(self._lock)
            raise JournalError(f"{self.url} is being written by another process") from None
        except OSError as error:
            os.close(self._lock)
            raise self._failed(error) from None
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._ended.set()
        self._thread.join()
        try:
            if error is not None:
                with contextlib.suppress(OSError):
                    self.copy()
                return
            self.copy()
            if self._lost:
                raise JournalError(
                    f"{self.url}: another command has taken this run over; "
                    f"fix: let it finish; what was made here is kept in {self.folder}"
                )
            self._publish()
        except OSError as fault:
            raise self._failed(fault) from None
        finally:
            os.close(self._lock)

    def copy(self) -> None:
        """Copy what is new. A file that refers to rows is copied after these rows."""
        if self._store.read(self._writer_name) != self._writer.encode():
            self._lost = True
            return
        others = {name: (file.stat().st_mtime, file.read_bytes()) for name, file in self._small()}
        present = {name for name, _ in self._files()}
        for name, file in self._files():
            if name.endswith(_ROWS):
                with file.open("rb") as rows:
                    self._copy_rows(name, rows)
        for name, (changed, data) in others.items():
            if self._others.get(name) != changed:
                self._store.write(name, data)
                self._others[name] = changed
        self._forget({*self._copied, *self._others} - present)
        self._remember()

    def _begin(self) -> None:
        """Fetch what the store holds, unless this folder wrote it."""
        if self._recall() and self._store.read(self._writer_name) == self._writer.encode():
            self._store.write(self._writer_name, self._writer.encode())  # can it be written?
            return
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        self._writer, self._copied, self._others = uuid.uuid4().hex, {}, {}
        self._store.write(self._writer_name, self._writer.encode())
        sizes: dict[str, int] = {}
        for place in [*self._names, *(f"{PARTS}/{name}" for name in self._names)] or [""]:
            sizes |= self._store.sizes(place)
        for name in {_file_of(object_name) for object_name in sizes} - {"writer"}:
            self._fetch(name, sizes)
        self._remember()

    def _fetch(self, name: str, sizes: dict[str, int]) -> None:
        """Fetch one file with its parts."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        base = size = sizes.get(name, 0)
        with path.open("wb") as file:
            if name in sizes:
                self._store.download(name, file)
            while (part := _part(name, base, size)) in sizes:
                self._store.download(part, file)
                size += sizes[part]
        if name.endswith(_ROWS):
            self._copied[name] = Copied(path.stat().st_ino, base, size)
        else:
            self._others[name] = path.stat().st_mtime

    def _copy_rows(self, name: str, rows: BinaryIO) -> None:
        """Copy the new lines as a part, or the whole file if it was put into order."""
        now = os.fstat(rows.fileno())
        known = self._copied.setdefault(name, Copied(now.st_ino))
        if known.inode != now.st_ino or now.st_size < known.size:
            self._store.upload(name, rows, now.st_size)
            self._drop_parts(name)
            self._copied[name] = Copied(now.st_ino, now.st_size, now.st_size)
            return
        rows.seek(known.size)
        data = rows.read(_PART)
        if lines := data[: data.rfind(b"\n") + 1]:
            self._store.write(_part(name, known.base, known.size), lines)
            known.size += len(lines)

    def _publish(self) -> None:
        """Write each file as one object, and remove all others."""
        for name, file in self._files():
            known = self._copied.get(name)
            changed = file.stat().st_mtime
            if known is None and self._others.get(name) == changed:
                continue
            if known is None or known.base != file.stat().st_size:
                with file.open("rb") as whole:
                    self._store.upload(name, whole, file.stat().st_size)
                self._drop_parts(name)
        self._store.remove([self._writer_name])
        shutil.rmtree(self._place)

    def _drop_parts(self, name: str) -> None:
        self._store.remove(list(self._store.sizes(f"{PARTS}/{name}")))

    def _forget(self, names: Collection[str]) -> None:
        """Remove the objects of files that were removed here."""
        if names:
            self._store.remove(names)
        for name in names:
            if self._copied.pop(name, None):
                self._drop_parts(name)
            self._others.pop(name, None)

    def _files(self) -> Iterator[tuple[str, Path]]:
        """All complete files of the run."""
        for file in sorted(self.folder.rglob("*")):
            if file.is_file() and not file.name.endswith(_DRAFTS):
                yield str(file.relative_to(self.folder)), file

    def _small(self) -> Iterator[tuple[str, Path]]:
        for name, file in self._files():
            if not name.endswith(_ROWS) and file.stat().st_size <= _SMALL:
                yield name, file

    def _copy_often(self) -> None:
        while not self._ended.wait(self._every) and not self._lost:
            with contextlib.suppress(OSError):  # the next time, or at the end, it is an error
                self.copy()

    def _remember(self) -> None:
        state = {
            "writer": self._writer,
            "copied": {name: asdict(known) for name, known in self._copied.items()},
            "others": self._others,
        }
        draft = self._place / "state.draft"
        draft.write_text(json.dumps(state))
        draft.replace(self._place / "state.json")

    def _recall(self) -> bool:
        """Whether this folder holds an interrupted run."""
        try:
            state = json.loads((self._place / "state.json").read_text())
        except (OSError, ValueError):
            return False
        self._writer, self._others = state["writer"], state["others"]
        self._copied = {name: Copied(**known) for name, known in state["copied"].items()}
        return self.folder.is_dir()

    def _failed(self, error: OSError) -> JournalError:
        kept = f"; what was made is kept in {self.folder}" if self._copied else ""
        return JournalError(
            f"{self.url}: {error.strerror or error}{kept}; fix: name a place that can be read and "
            "written, with its credentials in the environment, and run the command again"
        )


def cache() -> Path:
    """The place of the folders of all mirrors."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "genprm" / "runs"


def _file_of(name: str) -> str:
    """The file to which an object belongs."""
    in_parts = name.removeprefix(f"{PARTS}/")
    return name if in_parts == name else in_parts.rpartition("/")[0] or "writer"


def _part(name: str, base: int, start: int) -> str:
    return f"{PARTS}/{name}/{base:015}-{start:015}"
