"""The stages of a curation that ask a model, as tasks that any executor can open."""

from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass

from genprm.curate.rationales import Question
from genprm.curate.recipe import Actors, Curation
from genprm.curate.rollouts import Prefix
from genprm.curate.solutions import Batch, batches_at_once
from genprm.curate.workers import OwnWorkers
from genprm.records.critiques import CritiqueRow
from genprm.records.curation import BatchRow, RolloutRow
from genprm.tasks.executor import Executor
from genprm.tasks.recipe_engines import RecipeEngines
from genprm.worker import Needs, Opened, Worker


@dataclass(frozen=True, slots=True)
class StageWork:
    """What every stage's work is made from."""

    recipe: Curation
    api_key: str | None
    sandbox: str

    def workers(self) -> OwnWorkers:
        """The workers, on engines that the recipe names."""
        engines = RecipeEngines(self.recipe, api_key=self.api_key, sandbox=self.sandbox)
        return OwnWorkers(engines, self.recipe)


@dataclass(frozen=True, slots=True)
class SolutionsWork:
    """Drawing solutions."""

    stage: StageWork

    @property
    def needs(self) -> Needs:
        """The policy's."""
        return _needs(self.stage.recipe.solutions.actors)

    @asynccontextmanager
    async def open(self) -> AsyncGenerator[Worker[Batch, BatchRow], None]:
        """The policy and an answer checker."""
        async with self.stage.workers().solutions() as opened:
            yield opened.worker


@dataclass(frozen=True, slots=True)
class RolloutsWork:
    """Completing prefixes."""

    stage: StageWork

    @property
    def needs(self) -> Needs:
        """The completer's."""
        return _needs(self.stage.recipe.rollouts.actors)

    @asynccontextmanager
    async def open(self) -> AsyncGenerator[Worker[Prefix, RolloutRow], None]:
        """The completer and an answer checker."""
        async with self.stage.workers().rollouts() as opened:
            yield opened.worker


@dataclass(frozen=True, slots=True)
class CritiquesWork:
    """Writing rationales."""

    stage: StageWork

    @property
    def needs(self) -> Needs:
        """The teacher's."""
        return _needs(self.stage.recipe.rationales.actors)

    @asynccontextmanager
    async def open(self) -> AsyncGenerator[Worker[Question, CritiqueRow], None]:
        """The teacher."""
        async with self.stage.workers().critiques() as opened:
            yield opened.worker


class ExecutorWorkers:
    """The workers of a curation wherever the executor has them; see `StageWorkers`."""

    def __init__(self, executor: Executor, stage: StageWork) -> None:
        self._executor = executor
        self._stage = stage

    def solutions(self) -> AbstractAsyncContextManager[Opened[Batch, BatchRow]]:
        """See `StageWorkers`."""
        at_once = batches_at_once(self._stage.recipe.solutions)
        return self._executor.open(SolutionsWork(self._stage), rows_at_once=at_once)

    def rollouts(self) -> AbstractAsyncContextManager[Opened[Prefix, RolloutRow]]:
        """See `StageWorkers`."""
        at_once = self._stage.recipe.rollouts.concurrency
        return self._executor.open(RolloutsWork(self._stage), rows_at_once=at_once)

    def critiques(self) -> AbstractAsyncContextManager[Opened[Question, CritiqueRow]]:
        """See `StageWorkers`."""
        at_once = self._stage.recipe.rationales.concurrency
        return self._executor.open(CritiquesWork(self._stage), rows_at_once=at_once)


def _needs(actors: Actors) -> Needs:
    return Needs(actors.count, actors.cpus, actors.gpus, actors.memory)
