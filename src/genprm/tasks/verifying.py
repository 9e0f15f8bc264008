"""The task of `genprm verify`: judge the steps of given solutions."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import ClassVar

from genprm.compose import JudgeChoice, open_judge
from genprm.problem import Solution
from genprm.records.record import JsonObject
from genprm.records.run_spec import JudgeSpec, digest
from genprm.records.verdicts import VerdictRow
from genprm.tasks.task import Task
from genprm.verify.judge import StepJudge
from genprm.verify.settings import Settings


@dataclass(frozen=True, slots=True)
class VerifyTask(Task[Solution, VerdictRow]):
    """A judge and its settings."""

    command: ClassVar[str] = "verify"
    row_type = VerdictRow

    choice: JudgeChoice
    judging: Settings

    @property
    def settings(self) -> JsonObject:
        """No settings of its own."""
        return {}

    def key(self, row: int, item: Solution) -> int:
        """The solution's place in the input."""
        return row

    def problem(self, item: Solution) -> str:
        """The solution's problem."""
        return item.problem

    def input(self, items: Sequence[Solution]) -> str:
        """A hash of ids, problems and steps."""
        return digest([[one.id, one.problem, *one.steps] for one in items])

    @asynccontextmanager
    async def open(self) -> AsyncGenerator["VerifyWorker", None]:
        """The judge, with its model and its sandbox."""
        async with open_judge(self.choice, self.judging) as judge:
            yield VerifyWorker(judge)


class VerifyWorker:
    """An opened judge."""

    policy = None

    def __init__(self, judge: StepJudge) -> None:
        self._judge = judge

    @property
    def judge(self) -> JudgeSpec:
        """The judge's spec."""
        return self._judge.spec

    async def make(self, row: int, item: Solution) -> VerdictRow:
        """The verdict on a solution."""
        return VerdictRow.of(row, item, await self._judge.verify(item, row=row))
