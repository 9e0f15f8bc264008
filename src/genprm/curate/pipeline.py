"""Runs the stages in order, each from the one before it; each resumes only under equal settings."""

from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from genprm.curate.chats import chat_rows
from genprm.curate.consensus import consensus_rows
from genprm.curate.dead_ends import check_usable
from genprm.curate.engines import Engines, ProgressCallback
from genprm.curate.folder import Folder, R
from genprm.curate.gold_problems import store_problems, stored_problems
from genprm.curate.labels import label_rows
from genprm.curate.rationales import questions, write_rationales
from genprm.curate.recipe import Curation, decisive
from genprm.curate.rollouts import (
    ProblemPaths,
    row_order,
    score_prefixes,
    stored_scores,
    usable_problems,
)
from genprm.curate.samples import by_problem
from genprm.curate.solutions import batch_order, sample_solutions
from genprm.curate.stages import Stage
from genprm.curate.stopwatch import Stopwatch
from genprm.curate.workers import OwnWorkers, StageWorkers
from genprm.journal import Journal
from genprm.recipe import Table
from genprm.records.chats import ChatRow
from genprm.records.critiques import CritiqueRow
from genprm.records.curation import (
    BatchRow,
    ConsensusRow,
    LabelledPathRow,
    RolloutRow,
)
from genprm.records.keyed import KeyedRow
from genprm.records.run_spec import RunSpec

K = TypeVar("K", bound=KeyedRow)


class Pipeline:
    """One curation: a recipe, a folder and engines.

    `retry_failed` repeats requests that failed, in stages whose rows no later request has used;
    what was computed from such a stage is computed again. `workers` compute the rows that need a
    model; without them, the engines do so in this process.
    """

    def __init__(
        self,
        recipe: Curation,
        folder: Folder,
        engines: Engines,
        progress: ProgressCallback = ProgressCallback(),
        *,
        retry_failed: bool = False,
        workers: StageWorkers | None = None,
    ) -> None:
        self.recipe = recipe
        self.folder = folder
        self.engines = engines
        self.workers = workers or OwnWorkers(engines, recipe)
        self.progress = progress
        self.retry_failed = retry_failed

    async def run(self, stage: Stage) -> None:
        """Run or resume one stage; of a finished one, only the settings are checked.

        Raises:
            InputError: the stage before it has not finished, or the input is broken.
            NothingUsable: the stage leaves nothing for the next one.
            JournalError: the stage was started with other settings or another model, or is being
                run elsewhere.
            ModelError, SandboxError: an engine or the sandbox failed permanently.
        """
        await _STAGES[stage](self)
        check_usable(stage, self.folder, self.recipe)

    async def _problems(self) -> None:
        store_problems(self.folder, self.engines.problems())

    async def _solutions(self) -> None:
        settings = self.recipe.solutions
        spec = self._spec(Stage.SOLUTIONS, settings)
        if self._has_finished(Stage.SOLUTIONS, spec, BatchRow):
            return
        problems = stored_problems(self.folder)
        async with self.workers.solutions() as opened:
            asked = spec.model_copy(update={"policy": opened.worker.policy})
            with self._work(Stage.SOLUTIONS, asked, BatchRow, len(problems)) as journal:
                await sample_solutions(
                    problems,
                    opened.worker,
                    settings,
                    at_once=opened.at_once,
                    journal=journal,
                    on_problem=self.progress.advance,
                )
                self.folder.finish(Stage.SOLUTIONS, journal, batch_order(problems, journal))

    async def _rollouts(self) -> None:
        settings = self.recipe.rollouts
        spec = self._spec(Stage.ROLLOUTS, settings)
        if self._has_finished(Stage.ROLLOUTS, spec, RolloutRow):
            return
        problems = self._usable_problems()
        async with self.workers.rollouts() as opened:
            asked = spec.model_copy(update={"policy": opened.worker.policy})
            with self._work(Stage.ROLLOUTS, asked, RolloutRow, len(problems)) as journal:
                await score_prefixes(
                    problems,
                    opened.worker,
                    settings,
                    at_once=opened.at_once,
                    journal=journal,
                    on_problem=self.progress.advance,
                )
                self.folder.finish(Stage.ROLLOUTS, journal, row_order(problems, journal))

    async def _rationales(self) -> None:
        settings = self.recipe.rationales
        spec = self._spec(Stage.RATIONALES, settings)
        if self._has_finished(Stage.RATIONALES, spec, CritiqueRow):
            return
        asked = list(questions(self._usable_problems(), settings.samples))
        async with self.workers.critiques() as opened:
            taught = spec.model_copy(update={"judge": opened.worker.judge})
            with self._work(Stage.RATIONALES, taught, CritiqueRow, len(asked)) as journal:
                await write_rationales(
                    asked,
                    opened.worker,
                    settings,
                    at_once=opened.at_once,
                    journal=journal,
                    on_critique=self.progress.advance,
                )
                self.folder.finish(Stage.RATIONALES, journal, [one.key for one in asked])

    async def _progress(self) -> None:
        settings = self.recipe.progress
        spec = self.folder.spec(Stage.PROGRESS, decisive(settings))
        stored = stored_scores(self.folder.rows(Stage.ROLLOUTS, RolloutRow))
        rows = label_rows(self._usable_problems(), stored, self.recipe.rollouts, settings)
        self._compute(Stage.PROGRESS, spec, LabelledPathRow, rows)

    async def _consensus(self) -> None:
        settings = self.recipe.consensus
        rows = consensus_rows(
            self.folder.rows(Stage.PROGRESS, LabelledPathRow),
            self.folder.rows(Stage.RATIONALES, CritiqueRow),
            settings.agreement,
        )
        spec = self.folder.spec(Stage.CONSENSUS, decisive(settings))
        self._compute(Stage.CONSENSUS, spec, ConsensusRow, rows)

    async def _chats(self) -> None:
        settings = self.recipe.chats
        problems = {problem.id: problem.text for problem in stored_problems(self.folder)}
        kept = self.folder.rows(Stage.CONSENSUS, ConsensusRow)
        spec = self.folder.spec(Stage.CHATS, decisive(settings))
        self._compute(Stage.CHATS, spec, ChatRow, chat_rows(kept, problems, settings.modes))

    def _usable_problems(self) -> list[ProblemPaths]:
        batches = self.folder.rows(Stage.SOLUTIONS, BatchRow)
        return usable_problems(stored_problems(self.folder), by_problem(batches))

    def _spec(self, stage: Stage, settings: Table) -> RunSpec:
        """The spec of a stage that uses a model, without the model's identity."""
        return self.folder.spec(stage, {"seed": self.recipe.seed, **decisive(settings)})

    def _has_finished(self, stage: Stage, spec: RunSpec, row_type: type[R]) -> bool:
        """Whether nothing is left to do; a stage with failed rows may be reopened."""
        self.folder.take_over(stage, spec)
        if not self.folder.has_finished(stage, spec):
            return False
        used = any(self.folder.file(later).exists() for later in stage.asked_from)
        if not self.retry_failed or used:
            return True
        if not any(row.failed for row in self.folder.rows(stage, row_type)):
            return True
        self.folder.reopen(stage)
        return False

    @contextmanager
    def _work(
        self, stage: Stage, spec: RunSpec, row_type: type[R], units: int
    ) -> Iterator[Journal[R]]:
        """The stage's journal, with its stopwatch running."""
        opened = self.folder.journal(stage, spec, row_type, retry_failed=self.retry_failed)
        with opened as journal:
            self.progress.begin(stage, units)
            with Stopwatch(self.folder.path / "seconds.jsonl", stage.value):
                yield journal

    def _compute(self, stage: Stage, spec: RunSpec, row_type: type[K], rows: Iterable[K]) -> None:
        """Run a stage that uses no model and writes its rows in order."""
        self.folder.take_over(stage, spec)
        if self.folder.has_finished(stage, spec):
            return
        with self.folder.journal(stage, spec, row_type) as journal:
            order = []
            for row in rows:
                order.append(row.key)
                if row.key not in journal:
                    journal.append(row)
            self.folder.finish(stage, journal, order)


_STAGES: dict[Stage, Callable[[Pipeline], Awaitable[None]]] = {
    Stage.PROBLEMS: Pipeline._problems,
    Stage.SOLUTIONS: Pipeline._solutions,
    Stage.ROLLOUTS: Pipeline._rollouts,
    Stage.PROGRESS: Pipeline._progress,
    Stage.RATIONALES: Pipeline._rationales,
    Stage.CONSENSUS: Pipeline._consensus,
    Stage.CHATS: Pipeline._chats,
}
