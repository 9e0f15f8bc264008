"""What computes the rows of the stages that ask a model: here, the curation's own engines."""

from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Protocol

from genprm.curate.engines import Engines
from genprm.curate.rationales import CritiqueWorker, Question
from genprm.curate.recipe import Curation
from genprm.curate.rollouts import Prefix, RolloutWorker
from genprm.curate.solutions import Batch, BatchWorker, batches_at_once
from genprm.records.critiques import CritiqueRow
from genprm.records.curation import BatchRow, RolloutRow
from genprm.worker import Opened


class StageWorkers(Protocol):
    """Opens the worker of each stage when the stage needs it, and closes it afterwards."""

    def solutions(self) -> AbstractAsyncContextManager[Opened[Batch, BatchRow]]:
        """Draws solutions."""
        ...

    def rollouts(self) -> AbstractAsyncContextManager[Opened[Prefix, RolloutRow]]:
        """Completes prefixes of them."""
        ...

    def critiques(self) -> AbstractAsyncContextManager[Opened[Question, CritiqueRow]]:
        """Writes rationales."""
        ...


class OwnWorkers:
    """Workers in this process, with the curation's engines."""

    def __init__(self, engines: Engines, recipe: Curation) -> None:
        self._engines = engines
        self._recipe = recipe

    @asynccontextmanager
    async def solutions(self) -> AsyncGenerator[Opened[Batch, BatchRow], None]:
        """See `StageWorkers`."""
        settings, seed = self._recipe.solutions, self._recipe.seed
        async with self._engines.policy() as policy:
            with self._engines.checker() as checker:
                worker = BatchWorker(policy, checker, settings, seed=seed)
                yield Opened(worker, batches_at_once(settings))

    @asynccontextmanager
    async def rollouts(self) -> AsyncGenerator[Opened[Prefix, RolloutRow], None]:
        """See `StageWorkers`."""
        settings, seed = self._recipe.rollouts, self._recipe.seed
        async with self._engines.completer() as completer:
            with self._engines.checker() as checker:
                worker = RolloutWorker(completer, checker, settings, seed=seed)
                yield Opened(worker, settings.concurrency)

    @asynccontextmanager
    async def critiques(self) -> AsyncGenerator[Opened[Question, CritiqueRow], None]:
        """See `StageWorkers`."""
        settings, seed = self._recipe.rationales, self._recipe.seed
        async with self._engines.teacher() as teacher:
            yield Opened(CritiqueWorker(teacher, seed=seed), settings.concurrency)
