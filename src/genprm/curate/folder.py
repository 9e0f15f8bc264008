"""Where a curation lives: one journal for each stage, and the proof that the stage is finished.

    DIR/solutions.jsonl            rows, appended as they finish
    DIR/solutions.jsonl.run.json   the configuration that made them
    DIR/solutions.model.txt        the model that answered
    DIR/solutions.done.json        written last: the rows are all there, in order, with this hash

A stage's configuration holds the hashes of the rows it read, so a changed earlier stage is refused,
not mixed in. A folder may take finished stages over from another one, where they would be the same:
other labels for the same rollouts and rationales cost seconds.
"""

import json
import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import blake2b, sha256
from pathlib import Path
from typing import Any, ClassVar, Self

from pydantic import ConfigDict

from genprm.curate.stages import Stage
from genprm.errors import InputError, JournalError
from genprm.journal import Journal, run_file
from genprm.records.record import Row as Record
from genprm.records.run_spec import RunSpec

KEY = "key"
Row = dict[str, Any]


class StageRow(Record):
    """A row of any stage."""

    model_config = ConfigDict(extra="allow")
    KEY: ClassVar[str] = KEY

    key: str


class StageJournal:
    """A stage's journal."""

    def __init__(self, journal: Journal[StageRow]) -> None:
        self._journal = journal

    def __enter__(self) -> Self:
        self._journal.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        self._journal.__exit__(*error)

    def __contains__(self, key: object) -> bool:
        return key in self._journal

    def __len__(self) -> int:
        return len(self._journal)

    def rows(self) -> Iterator[Row]:
        """The rows that are there."""
        return (dict(row.json_object()) for row in self._journal.rows())

    def append(self, row: Row) -> None:
        """Write one finished row."""
        self._journal.append(StageRow.model_validate(row))

    def finish(self, order: Iterable[str]) -> None:
        """Put the rows into this order."""
        self._journal.finish(order)


@dataclass(frozen=True, slots=True)
class Folder:
    """The folder of one curation; `source` is another one to take finished stages over from."""

    path: Path
    source: "Folder | None" = None

    def journal(self, stage: Stage, settings: Mapping[str, Any]) -> StageJournal:
        """The stage's journal, for rows made with these settings from the rows it reads."""
        self.path.mkdir(parents=True, exist_ok=True)
        read = {earlier.value: self.digest(earlier) for earlier in stage.reads}
        spec = RunSpec(
            command=f"curate {stage}",
            settings={"reads": dict(read), **json.loads(json.dumps(settings))},
        )
        if self.source is not None and not self.file(stage).exists():
            self._take_over(stage, spec, self.source)
        return StageJournal(Journal(self.file(stage), spec, StageRow))

    def _take_over(self, stage: Stage, spec: RunSpec, source: "Folder") -> None:
        """Copy a finished stage that was made with this configuration, its proof last."""
        claim = run_file(source.file(stage))
        if not source.is_done(stage):
            return
        if json.loads(claim.read_text("utf-8")) != spec.json_object():
            return
        for suffix in ("jsonl.run.json", "model.txt", "jsonl", "done.json"):
            there = source.path / f"{stage}.{suffix}"
            if there.exists():
                shutil.copy2(there, self.path / there.name)

    def finish(self, stage: Stage, journal: StageJournal, order: Iterable[str]) -> None:
        """All rows are there: put them in order, and say so."""
        journal.finish(order)
        done = {"rows": len(journal), "sha256": _hash_of(self.file(stage))}
        _write_whole(self._done(stage), json.dumps(done) + "\n")

    def claim_model(self, stage: Stage, name: str) -> None:
        """Refuse to go on with another model than the one that wrote the first rows.

        Raises:
            JournalError: they differ.
        """
        claim = self.path / f"{stage}.model.txt"
        if not claim.exists():
            _write_whole(claim, name + "\n")
        there = claim.read_text("utf-8").rstrip("\n")
        if there != name:
            raise JournalError(
                f"{self.file(stage)} was begun with the model {there!r}, this is {name!r}; "
                "fix: the same model, or another folder"
            )

    def is_done(self, stage: Stage) -> bool:
        """Whether the stage has finished."""
        return self._done(stage).exists()

    def rows(self, stage: Stage) -> Iterator[Row]:
        """The rows of a finished stage, in order.

        Raises:
            InputError: it has not finished.
        """
        self.digest(stage)
        with self.file(stage).open(encoding="utf-8") as lines:
            for line in lines:
                row: Row = json.loads(line)
                yield row

    def digest(self, stage: Stage) -> str:
        """The hash of a finished stage's rows; raises as `rows`."""
        try:
            digest: str = json.loads(self._done(stage).read_text("utf-8"))["sha256"]
        except FileNotFoundError:
            raise InputError(
                f"{self.path}: the stage {stage} has not finished; fix: run it first, "
                "or all stages without --stage"
            ) from None
        return digest

    def file(self, stage: Stage) -> Path:
        """The stage's rows."""
        return self.path / f"{stage}.jsonl"

    def _done(self, stage: Stage) -> Path:
        return self.path / f"{stage}.done.json"


def draw_seed(*parts: object) -> int:
    """A seed of 31 bits from whatever identifies a request: the same in every run."""
    name = "/".join(map(str, parts)).encode()
    return int.from_bytes(blake2b(name, digest_size=4).digest()) >> 1


def _hash_of(file: Path) -> str:
    with file.open("rb") as rows:
        digest = sha256()
        while chunk := rows.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


def _write_whole(file: Path, text: str) -> None:
    draft = file.with_name(file.name + ".draft")
    draft.write_text(text, "utf-8")
    draft.replace(file)
