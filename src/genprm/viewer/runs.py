"""Finds the runs that a command line names: files of rows, run folders, and curations."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from genprm.errors import InputError
from genprm.viewer.curation import STAGES, curated_documents, is_curation, stage_file
from genprm.viewer.documents import Document
from genprm.viewer.reader import read_document

ROWS = "rows.jsonl"
_SUFFIXES = (".corrections.jsonl",)  # what the page itself writes beside a run


@dataclass(frozen=True, slots=True)
class RunFiles:
    """One run: its name on the page, and the file or the curation's folder with its rows."""

    name: str
    path: Path

    @property
    def curation(self) -> bool:
        """Whether this is the folder of a curation."""
        return self.path.is_dir()

    @property
    def anchor(self) -> Path:
        """The file beside which the index and the corrections are kept."""
        return self.path / "curation" if self.curation else self.path

    @property
    def corrections(self) -> Path:
        """The journal of the corrections."""
        return self.anchor.with_name(self.anchor.name + ".corrections.jsonl")

    def stamp(self) -> tuple[tuple[str, int, int], ...]:
        """The names, sizes and modification times of the run's files."""
        files = [self.path]
        if self.curation:
            files = [stage_file(self.path, stage) for stage in STAGES]
        states = [(file.name, file.stat()) for file in files if file.exists()]
        return tuple((name, state.st_size, state.st_mtime_ns) for name, state in states)

    def specification(self) -> Mapping[str, object]:
        """The configuration of the run; empty if there is none to read."""
        claims = [self.path.with_name(self.path.name + ".run.json")]
        if self.curation:
            claims = [self.path / f"{stage}.jsonl.run.json" for stage in STAGES]
        for claim in claims:
            try:
                found = json.loads(claim.read_bytes())
            except (OSError, ValueError, RecursionError):
                continue
            if isinstance(found, Mapping):
                return found
        return {}

    def joined(self) -> Iterator[Document]:
        """The documents of a curation's folder."""
        return curated_documents(self.path)

    def documents(self, start: int = 0, count: int = 0) -> Iterator[tuple[Document, int, int]]:
        """Every row's document with its offset and length in the file, in bytes.

        `start` is the offset to start at, and `count` the number of rows before it. A last line
        without a line end is still being written, and is left out.
        """
        offset, index = start, count
        with self.path.open("rb") as lines:
            lines.seek(start)
            for line in lines:
                whole = line.endswith(b"\n") or _is_json(line)
                if line.strip() and whole:
                    yield read_document(line, index), offset, len(line)
                    index += 1
                offset += len(line)


def find_runs(paths: Sequence[Path]) -> list[RunFiles]:
    """The runs that these paths name; for a folder, the runs in it, one level down.

    Raises:
        InputError: a path does not exist or contains no run.
    """
    found = [run for path in paths for run in _runs_of(path)]
    names: dict[str, int] = {}
    for run in found:
        names[run.name] = names.get(run.name, 0) + 1
    return [
        RunFiles(str(run.path), run.path) if names[run.name] > 1 else run
        for run in dict.fromkeys(found)
    ]


def _runs_of(path: Path) -> list[RunFiles]:
    if not path.exists():
        raise InputError(f"{path}: there is no such file or folder; fix: name a run file or folder")
    if path.is_file():
        return [RunFiles(path.name, path)]
    runs = _run_folder(path) or [
        run
        for inner in sorted(path.iterdir())
        for run in (_run_folder(inner) if inner.is_dir() else _run_file(inner))
    ]
    if not runs:
        raise InputError(
            f"{path}: there is no run in this folder; fix: name a file written with --output, "
            "a folder of genprm evaluate, or one of genprm curate"
        )
    return runs


def _run_folder(folder: Path) -> list[RunFiles]:
    if (folder / ROWS).is_file():
        return [RunFiles(folder.resolve().name, folder / ROWS)]
    return [RunFiles(folder.resolve().name, folder)] if is_curation(folder) else []


def _run_file(file: Path) -> list[RunFiles]:
    if file.suffix != ".jsonl" or file.name.endswith(_SUFFIXES):
        return []
    return [RunFiles(file.name, file)] if Path(f"{file}.run.json").exists() else []


def _is_json(line: bytes) -> bool:
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return False
    return True
