"""The stages in order, each from the one before it, each resumable and refusing other settings."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from genprm.answer import AnswerChecker
from genprm.curate.chats import chat_rows
from genprm.curate.consensus import consensus_rows
from genprm.curate.folder import KEY, Folder, Row, StageJournal
from genprm.curate.labels import label_rows, labelled_paths
from genprm.curate.problems import store_problems, stored_problems
from genprm.curate.rationales import questions, write_rationales
from genprm.curate.recipe import Curation, decisive
from genprm.curate.rollouts import Tree, row_order, score_of, score_prefixes, trees
from genprm.curate.solutions import by_problem, sample_solutions, wave_order
from genprm.curate.stages import Stage
from genprm.curate.stopwatch import Stopwatch
from genprm.curate.teacher import Teacher
from genprm.policy import Policy
from genprm.problem import Problem


class Crew(Protocol):
    """Who does the work. Each is opened when a stage needs it, and closed after it."""

    def problems(self) -> list[Problem]:
        """The recipe's problems."""
        ...

    def policy(self) -> AbstractAsyncContextManager[Policy]:
        """Writes the solutions."""
        ...

    def completer(self) -> AbstractAsyncContextManager[Policy]:
        """Finishes prefixes of them."""
        ...

    def teacher(self) -> AbstractAsyncContextManager[Teacher]:
        """Writes the rationales."""
        ...

    def checker(self) -> AnswerChecker:
        """Compares answers."""
        ...


@dataclass(frozen=True, slots=True)
class Ticker:
    """Is told how far a stage is: `begin(stage, units)`, then `advance()` for each unit."""

    begin: Callable[[Stage, int], None] = lambda *_: None
    advance: Callable[[], None] = lambda: None


class Pipeline:
    """One curation: a recipe, a folder and a crew."""

    def __init__(
        self, recipe: Curation, folder: Folder, crew: Crew, ticker: Ticker = Ticker()
    ) -> None:
        self.recipe = recipe
        self.folder = folder
        self.crew = crew
        self.ticker = ticker

    async def run(self, stage: Stage) -> None:
        """Run one stage, or go on with it; a finished one is only checked for its settings.

        Raises:
            InputError: the stage before it has not finished, or the input is broken.
            JournalError: the stage was begun with other settings, or is being run elsewhere.
            ModelError, SandboxError: an engine or the sandbox failed for good.
        """
        await _STAGES[stage](self)

    async def _problems(self) -> None:
        store_problems(self.folder, self.crew.problems())

    async def _solutions(self) -> None:
        settings = self.recipe.solutions
        problems = stored_problems(self.folder)
        async with self._work(Stage.SOLUTIONS, decisive(settings), len(problems)) as journal:
            if journal is None:
                return
            with self.crew.checker() as checker:
                async with self.crew.policy() as policy:
                    self.folder.claim_model(Stage.SOLUTIONS, policy.model.name)
                    await sample_solutions(
                        problems,
                        policy,
                        checker,
                        settings,
                        seed=self.recipe.seed,
                        journal=journal,
                        on_problem=self.ticker.advance,
                    )
            self.folder.finish(Stage.SOLUTIONS, journal, wave_order(problems, journal))

    async def _rollouts(self) -> None:
        settings = self.recipe.rollouts
        forest = self._forest()
        async with self._work(Stage.ROLLOUTS, decisive(settings), len(forest)) as journal:
            if journal is None:
                return
            with self.crew.checker() as checker:
                async with self.crew.completer() as completer:
                    self.folder.claim_model(Stage.ROLLOUTS, completer.model.name)
                    await score_prefixes(
                        forest,
                        completer,
                        checker,
                        settings,
                        seed=self.recipe.seed,
                        journal=journal,
                        on_problem=self.ticker.advance,
                    )
            stored = {row[KEY]: score_of(row) for row in journal.rows()}
            self.folder.finish(Stage.ROLLOUTS, journal, row_order(forest, settings, stored))

    async def _progress(self) -> None:
        settings = self.recipe.progress
        stored = {row[KEY]: score_of(row) for row in self.folder.rows(Stage.ROLLOUTS)}
        rows = label_rows(self._forest(), stored, self.recipe.rollouts, settings)
        await self._derive(Stage.PROGRESS, decisive(settings), rows)

    async def _rationales(self) -> None:
        settings = self.recipe.rationales
        asked = list(questions(self._forest(), settings.samples))
        order = [question.key for question in asked]
        async with self._work(Stage.RATIONALES, decisive(settings), len(order)) as journal:
            if journal is None:
                return
            async with self.crew.teacher() as teacher:
                self.folder.claim_model(Stage.RATIONALES, teacher.name)
                await write_rationales(
                    asked,
                    teacher,
                    settings,
                    seed=self.recipe.seed,
                    journal=journal,
                    on_critique=self.ticker.advance,
                )
            self.folder.finish(Stage.RATIONALES, journal, order)

    async def _consensus(self) -> None:
        settings = self.recipe.consensus
        rows = consensus_rows(
            labelled_paths(self.folder.rows(Stage.PROGRESS)),
            self.folder.rows(Stage.RATIONALES),
            self.recipe.rationales.samples,
            settings.agreement,
        )
        await self._derive(Stage.CONSENSUS, decisive(settings), rows)

    async def _chats(self) -> None:
        settings = self.recipe.chats
        problems = {problem.id: problem.text for problem in stored_problems(self.folder)}
        rows = chat_rows(self.folder.rows(Stage.CONSENSUS), problems, settings.modes)
        await self._derive(Stage.CHATS, decisive(settings), rows)

    def _forest(self) -> list[Tree]:
        problems = stored_problems(self.folder)
        return trees(problems, by_problem(self.folder.rows(Stage.SOLUTIONS)))

    @asynccontextmanager
    async def _work(
        self, stage: Stage, settings: dict[str, Any], units: int
    ) -> AsyncIterator[StageJournal | None]:
        """The stage's journal while its clock runs; None where it has finished."""
        keyed = {"seed": self.recipe.seed, **settings}
        with self.folder.journal(stage, keyed) as journal:
            if self.folder.is_done(stage):
                yield None
                return
            self.ticker.begin(stage, units)
            with Stopwatch(self.folder.path / "seconds.jsonl", stage.value):
                yield journal

    async def _derive(self, stage: Stage, settings: dict[str, Any], rows: Iterable[Row]) -> None:
        """A stage that only computes: its rows in order."""
        with self.folder.journal(stage, settings) as journal:
            if self.folder.is_done(stage):
                return
            order = []
            for row in rows:
                order.append(row[KEY])
                if row[KEY] not in journal:
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
