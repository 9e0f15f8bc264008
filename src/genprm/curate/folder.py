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
from enum import StrEnum
from hashlib import blake2b, sha256
from pathlib import Path
from typing import Any

from genprm.errors import InputError, JournalError
from genprm.journal import Journal, Row

KEY = "key"


class Stage(StrEnum):
    """The stages, in an order in which they can be run."""

    PROBLEMS = "problems"
    SOLUTIONS = "solutions"
    ROLLOUTS = "rollouts"
    PROGRESS = "progress"
    RATIONALES = "rationales"
    CONSENSUS = "consensus"
    CHATS = "chats"

    @property
    def reads(self) -> tuple["Stage", ...]:
        """The stages whose rows this one reads. Rationales need no labels."""
        return _READS[self]


_READS = {
    Stage.PROBLEMS: (),
    Stage.SOLUTIONS: (Stage.PROBLEMS,),
    Stage.ROLLOUTS: (Stage.SOLUTIONS,),
    Stage.PROGRESS: (Stage.ROLLOUTS,),
    Stage.RATIONALES: (Stage.SOLUTIONS,),
    Stage.CONSENSUS: (Stage.PROGRESS, Stage.RATIONALES),
    Stage.CHATS: (Stage.CONSENSUS,),
}


@dataclass(frozen=True, slots=True)
class Folder:
    """The folder of one curation; `source` is another one to take finished stages over from."""

    path: Path
    source: "Folder | None" = None

    def journal(self, stage: Stage, settings: Mapping[str, Any]) -> Journal:
        """The stage's journal, for rows made with these settings from the rows it reads."""
        self.path.mkdir(parents=True, exist_ok=True)
        read = {earlier.value: self.digest(earlier) for earlier in stage.reads}
        configuration = {"stage": stage.value, "reads": read, "settings": settings}
        if self.source is not None and not self.file(stage).exists():
            self._take_over(stage, configuration, self.source)
        return Journal(self.file(stage), configuration, key=KEY)

    def _take_over(self, stage: Stage, configuration: dict[str, Any], source: "Folder") -> None:
        """Copy a finished stage that was made with this configuration, its proof last."""
        claim = source.path / f"{stage}.jsonl.run.json"
        if not source.is_done(stage):
            return
        if json.loads(claim.read_text("utf-8")) != json.loads(json.dumps(configuration)):
            return
        for suffix in ("jsonl.run.json", "model.txt", "jsonl", "done.json"):
            there = source.path / f"{stage}.{suffix}"
            if there.exists():
                shutil.copy2(there, self.path / there.name)

    def finish(self, stage: Stage, journal: Journal, order: Iterable[str]) -> None:
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
