"""The runs that the page shows, each with its index and its corrections."""

from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

from genprm.errors import InputError
from genprm.records.chats import ChatRow
from genprm.records.record import Record
from genprm.viewer.corrections import (
    Correction,
    append_correction,
    now,
    of_row,
    parse_asked,
    read_corrections,
)
from genprm.viewer.facts import Facts
from genprm.viewer.funnel import FunnelStage, funnel
from genprm.viewer.index import RunIndex
from genprm.viewer.runs import RunFiles
from genprm.viewer.tables import fingerprint
from genprm.viewer.training import (
    LabelledRow,
    LeftOut,
    chat_row,
    corrected_solutions,
    labelled_row,
)


class RunInfo(Record):
    """A run as the page's menu shows it."""

    number: int
    name: str
    path: str
    rows: int  # that can be shown already
    indexed: float = 1.0  # how much of the run that is, 0 to 1
    failed: str | None = None  # why the run cannot be read
    command: str
    model: str
    version: str
    settings: Mapping[str, object]
    curation: bool
    facts: Facts = Facts()


class CorrectionState(Record):
    """The current corrections, and what an export of them would contain."""

    corrections: tuple[Correction, ...]
    chats: int
    labelled: int
    left_out: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Export:
    """The rows that the corrections of a run produce."""

    chats: list[ChatRow] = field(default_factory=list)
    labelled: list[LabelledRow] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)


class Library:
    """All runs of one page."""

    def __init__(self, runs: Sequence[RunFiles] = ()) -> None:
        self._indices = [RunIndex(run) for run in runs]
        self._failures: dict[int, str] = {}
        self._building: dict[int, Future[None]] = {}
        self._builder = ThreadPoolExecutor(max_workers=1, thread_name_prefix="index")

    def refresh(self) -> list[RunInfo]:
        """Update all runs; those that have changed are indexed again in the background."""
        for number, index in enumerate(self._indices):
            if number in self._building and not self._building[number].done():
                continue
            try:
                if not index.is_current():
                    self._building[number] = self._builder.submit(self._build, number)
            except InputError as error:
                self._failures[number] = str(error)
        return [self._info(number) for number in range(len(self._indices))]

    def build(self) -> list[RunInfo]:
        """Update all runs and wait until they are completely indexed.

        Raises:
            InputError: a run cannot be read.
        """
        for index in self._indices:
            index.refresh()
        return [self._info(number) for number in range(len(self._indices))]

    def close(self) -> None:
        """Stop all indexing, and wait until it has stopped."""
        for index in self._indices:
            index.stopped.set()
        self._builder.shutdown(cancel_futures=True)

    def index(self, run: int) -> RunIndex | None:
        """The index of a run; None if there is no such run."""
        return self._indices[run] if 0 <= run < len(self._indices) else None

    def funnel(self, run: int) -> tuple[FunnelStage, ...]:
        """The funnel of a curation; nothing for another run."""
        files = self._indices[run].run
        return funnel(files.path) if files.curation else ()

    def corrections(self, run: int) -> CorrectionState:
        """The corrections of a run."""
        exported = self.export(run)
        return CorrectionState(
            corrections=tuple(self._standing(run)),
            chats=len(exported.chats),
            labelled=len(exported.labelled),
            left_out=tuple(dict.fromkeys(left.cause for left in exported.left_out)),
        )

    def correct(self, run: int, body: object) -> CorrectionState:
        """Store a correction in the run's journal.

        Raises:
            InputError: it names no step of the run, or the journal cannot be written to.
        """
        asked, index = parse_asked(body), self._indices[run]
        document = index.document(asked.index)
        if document is None or asked.step >= len(document.steps):
            raise InputError(f"row {asked.index}, step {asked.step}: there is no such step")
        append_correction(
            index.run.corrections,
            Correction(
                at=now(),
                index=asked.index,
                id=document.id,
                fingerprint=fingerprint(document),
                step=asked.step,
                vote=asked.vote,
                was=document.steps[asked.step].label,
                label=asked.label,
                reason=asked.reason,
            ),
        )
        return self.corrections(run)

    def export(self, run: int) -> Export:
        """The rows that the run's corrections produce."""
        standing, index = self._standing(run), self._indices[run]
        exported = Export()
        for number in sorted({correction.index for correction in standing}):
            document = index.document(number)
            if document is None:
                continue
            for solution in corrected_solutions(document, of_row(standing, number)):
                for row in (labelled_row(solution, index.run.name), chat_row(solution)):
                    match row:
                        case LabelledRow():
                            exported.labelled.append(row)
                        case ChatRow():
                            exported.chats.append(row)
                        case LeftOut():
                            exported.left_out.append(row)
        return exported

    def _standing(self, run: int) -> list[Correction]:
        """The corrections of solutions that have not changed since."""
        index = self._indices[run]
        names: dict[int, str | None] = {}
        for correction in (found := read_corrections(index.run.corrections)):
            if correction.index not in names:
                document = index.document(correction.index)
                names[correction.index] = fingerprint(document) if document else None
        return [c for c in found if names[c.index] == c.fingerprint]

    def _build(self, number: int) -> None:
        try:
            self._indices[number].refresh()
        except InputError as error:
            self._failures[number] = str(error)
        else:
            self._failures.pop(number, None)

    def _info(self, number: int) -> RunInfo:
        index = self._indices[number]
        building = self._building.get(number)
        waiting = building is not None and not building.done()
        share = min(index.share, 0.99) if waiting else 1.0
        specification = index.run.specification()
        facts = index.facts()
        return RunInfo(
            number=number,
            name=index.run.name,
            path=str(index.run.path),
            rows=facts.rows,
            facts=facts,
            indexed=0.0 if waiting and index.share == 1.0 else share,
            failed=self._failures.get(number),
            command="curate" if index.run.curation else str(specification.get("command", "")),
            model=_model_of(specification),
            version=str(specification.get("genprm", "")),
            settings=specification,
            curation=index.run.curation,
        )


def _model_of(specification: Mapping[str, object]) -> str:
    """The model of the judge or the policy, from a run's spec of either version."""
    for part in (specification.get("judge"), specification, specification.get("policy")):
        if isinstance(part, Mapping) and (name := _named(part)):
            return name
    return ""


def _named(part: Mapping[str, object]) -> str:
    """The model of a judge, or of the last of its parts that has one."""
    model = part.get("model")
    if isinstance(model, Mapping):
        model = model.get("name")
    if isinstance(model, str):
        return model
    parts = part.get("parts")
    inner = [own for own in parts if isinstance(own, Mapping)] if isinstance(parts, list) else []
    return next((name for own in reversed(inner) if (name := _named(own))), "")
