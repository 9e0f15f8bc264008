"""The folder of a curation: one journal for each stage, and the proof that a stage is finished.

    DIR/solutions.jsonl            rows, appended as they finish
    DIR/solutions.jsonl.run.json   the spec that made them, with the identity of the model
    DIR/solutions.done.json        written last: all rows are there, in order, with this hash

A stage's spec holds the hashes of the rows that it read, so a changed earlier stage is refused
instead of mixed in. A finished stage is compared without its model, which then need not be loaded.
A folder can reuse the finished stages of another one if they would be the same: other labels for
the same rollouts and rationales take seconds.
"""

import json
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from genprm.curate.stages import Stage
from genprm.errors import InputError, JournalError
from genprm.journal import Journal, run_file
from genprm.records.record import JsonObject, Row
from genprm.records.run_spec import RunSpec, differences, read_spec

R = TypeVar("R", bound=Row)


@dataclass(frozen=True, slots=True)
class Folder:
    """The folder of one curation; `source` is another one whose finished stages are reused."""

    path: Path
    source: "Folder | None" = None

    def spec(self, stage: Stage, settings: JsonObject) -> RunSpec:
        """What decides a stage's rows, apart from the model: its settings and the rows it reads.

        Raises:
            InputError: a stage that it reads has not finished.
        """
        read: JsonObject = {earlier.value: self.digest(earlier) for earlier in stage.reads}
        return RunSpec(command=f"curate {stage}", settings={"reads": read, **settings})

    def journal(
        self, stage: Stage, spec: RunSpec, row_type: type[R], *, retry_failed: bool = False
    ) -> Journal[R]:
        """The stage's journal, for rows made under this spec."""
        self.path.mkdir(parents=True, exist_ok=True)
        return Journal(self.file(stage), spec, row_type, retry_failed=retry_failed)

    def take_over(self, stage: Stage, spec: RunSpec) -> None:
        """Copy the stage from the source, its proof last, if it finished there under this spec."""
        source = self.source
        if source is None or self.file(stage).exists() or not source.is_done(stage):
            return
        if source.changed(stage, spec):
            return
        self.path.mkdir(parents=True, exist_ok=True)
        for suffix in ("jsonl.run.json", "jsonl", "done.json"):
            name = f"{stage}.{suffix}"
            shutil.copy2(source.path / name, self.path / name)

    def has_finished(self, stage: Stage, spec: RunSpec) -> bool:
        """Whether the stage has finished under this spec, with any model.

        Raises:
            JournalError: it has finished under another spec.
        """
        if not self.is_done(stage):
            return False
        if changed := self.changed(stage, spec):
            raise JournalError(
                f"{self.file(stage)} was made with another configuration: {'; '.join(changed)}; "
                "fix: use the same configuration, or another --out with --from "
                f"{self.path}, which copies the stages that stay the same; "
                "more: genprm explain changed-run"
            )
        return True

    def changed(self, stage: Stage, spec: RunSpec) -> list[str]:
        """The fields in which a started stage's spec differs from this one, models aside."""
        claim = run_file(self.file(stage))
        try:
            stored = read_spec(claim.read_bytes())
        except (OSError, ValueError):
            return [f"{claim} cannot be read"]
        known = stored.model_copy(update={"policy": None, "judge": None})
        return list(differences(known.json_object(), spec.json_object()))

    def finish(self, stage: Stage, journal: Journal[R], order: Iterable[str]) -> None:
        """Put the rows in order, and record that the stage is finished."""
        journal.finish(order)
        done = {"rows": len(journal), "sha256": _hash_of(self.file(stage))}
        _write_whole(self._done(stage), json.dumps(done) + "\n")

    def reopen(self, stage: Stage) -> None:
        """Reopen a finished stage, after removing everything that was computed from its rows."""
        for later in stage.computed_from:
            for file in (self._done(later), self.file(later), run_file(self.file(later))):
                file.unlink(missing_ok=True)
        self._done(stage).unlink(missing_ok=True)

    def is_done(self, stage: Stage) -> bool:
        """Whether the stage has finished."""
        return self._done(stage).exists()

    def rows(self, stage: Stage, row_type: type[R]) -> Iterator[R]:
        """The rows of a finished stage, in order.

        Raises:
            InputError: it has not finished, or a row is damaged.
        """
        self.digest(stage)
        with self.file(stage).open("rb") as lines:
            for number, line in enumerate(lines, start=1):
                try:
                    yield row_type.parse(line)
                except ValidationError as error:
                    fault = error.errors(include_url=False)[0]
                    field = ".".join(map(str, fault["loc"]))
                    raise InputError(
                        f"{self.file(stage)}:{number}: field {field}: {fault['msg']}; fix: remove "
                        f"the files of the stage {stage}; they are then made again"
                    ) from None

    def digest(self, stage: Stage) -> str:
        """The hash of a finished stage's rows.

        Raises:
            InputError: it has not finished.
        """
        try:
            digest: str = json.loads(self._done(stage).read_text("utf-8"))["sha256"]
        except FileNotFoundError:
            raise InputError(
                f"{self.path}: the stage {stage} has not finished; fix: run it first, "
                "or all stages without --stage"
            ) from None
        return digest

    def file(self, stage: Stage) -> Path:
        """The file with the stage's rows."""
        return self.path / f"{stage}.jsonl"

    def _done(self, stage: Stage) -> Path:
        return self.path / f"{stage}.done.json"


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
