"""The task of `genprm evaluate processbench`: judge labelled solutions."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from genprm.evaluate.labelled import LabelledSolution
from genprm.evaluate.run import JudgeWorker
from genprm.records.evaluations import EvaluatedRow
from genprm.tasks.judges import JudgeOptions, open_judge
from genprm.worker import Needs, Worker


@dataclass(frozen=True, slots=True)
class EvaluateWork:
    """A judge by its name, and its settings."""

    options: JudgeOptions

    @property
    def needs(self) -> Needs:
        """What the command line says."""
        return Needs()

    @asynccontextmanager
    async def open(self) -> AsyncGenerator[Worker[LabelledSolution, EvaluatedRow], None]:
        """The judge."""
        async with open_judge(self.options) as judge:
            yield JudgeWorker(judge)
