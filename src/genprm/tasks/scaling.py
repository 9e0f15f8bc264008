"""The tasks of `genprm sample`, `rank`, `refine` and `search`: items are problems with samples."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict, dataclass, replace
from typing import ClassVar, Generic

from genprm.answer import AnswerChecker
from genprm.compose import JudgeChoice, ModelChoice, open_judge, open_policy
from genprm.policy import Policy, PolicySettings
from genprm.pools import Pool
from genprm.records.pools import PoolRow
from genprm.records.rankings import RankingRow
from genprm.records.record import JsonObject, json_object
from genprm.records.refinements import RefinementRow
from genprm.records.run_spec import JudgeSpec, PolicySpec, digest
from genprm.records.searches import SearchRow
from genprm.scale.best_of_n import judge_all, judge_best_first
from genprm.scale.methods import Method
from genprm.scale.pool import draw, pool_row
from genprm.scale.refine import Refiner, RefineSettings
from genprm.scale.rows import ranking_row, refinement_row, search_row
from genprm.scale.search import Searcher, SearchSettings
from genprm.tasks.task import Task
from genprm.verify.aggregate import Aggregate
from genprm.verify.judge import StepJudge
from genprm.verify.settings import Settings
from genprm.worker import R


@dataclass(frozen=True, slots=True)
class PolicyChoice:
    """A policy: its model, and how it is prompted."""

    model: ModelChoice = ModelChoice("arithmetic/policy")
    settings: PolicySettings = PolicySettings()


@dataclass(frozen=True, slots=True)
class JudgedBy:
    """A judge and its settings."""

    choice: JudgeChoice
    settings: Settings


@dataclass(frozen=True, slots=True)
class RankSettings:
    """How many samples each problem gets, and how one of them is chosen."""

    count: int = 8
    method: Method = Method.BEST_OF_N
    score: Aggregate = Aggregate.MIN
    early_abandon: bool = False


@dataclass(frozen=True, slots=True)
class Tools:
    """What a worker of these tasks uses; the judge or policy is None if the task has none."""

    checker: AnswerChecker
    step_judge: StepJudge | None
    author: Policy | None


class PoolWorker(Generic[R]):
    """An opened task: its tools, and the function that computes a row with them."""

    def __init__(self, tools: Tools, make: Callable[[Tools, int, Pool], Awaitable[R]]) -> None:
        self._tools = tools
        self._make = make

    @property
    def judge(self) -> JudgeSpec | None:
        """The judge's spec."""
        return self._tools.step_judge.spec if self._tools.step_judge else None

    @property
    def policy(self) -> PolicySpec | None:
        """The policy's spec."""
        author = self._tools.author
        if author is None:
            return None
        return PolicySpec(model=author.model.identity, settings=json_object(author.settings))

    async def make(self, row: int, item: Pool) -> R:
        """The row of a problem; raises as `Worker.make`."""
        return await self._make(self._tools, row, item)


class PoolTask(Task[Pool, R]):
    """The common part of tasks over problems: their items are pools, with their place as key."""

    def key(self, row: int, item: Pool) -> int:
        """The problem's place in the input."""
        return row

    def problem(self, item: Pool) -> str:
        """The problem's text."""
        return item.problem.text

    def input(self, items: Sequence[Pool]) -> str:
        """A hash of the problems and the steps of their samples."""
        return digest(
            [[asdict(pool.problem), [sample.steps for sample in pool.samples]] for pool in items]
        )


@dataclass(frozen=True, slots=True)
class SampleTask(PoolTask[PoolRow]):
    """Draw `count` solutions of every problem."""

    command: ClassVar[str] = "sample"
    row_type = PoolRow

    by: PolicyChoice
    count: int
    seed: int

    @property
    def settings(self) -> JsonObject:
        """The number of samples and the seed."""
        return {"count": self.count, "seed": self.seed}

    @asynccontextmanager
    async def open(self) -> AsyncGenerator[PoolWorker[PoolRow], None]:
        """The policy and the answer checker."""
        async with _open(None, self.by) as tools:
            yield PoolWorker(tools, self._row)

    async def _row(self, tools: Tools, row: int, item: Pool) -> PoolRow:
        assert tools.author is not None
        pool = await draw(tools.author, item.problem, self.count, seed=self.seed, row=row)
        return await asyncio.to_thread(pool_row, row, pool, tools.checker)


@dataclass(frozen=True, slots=True)
class RankTask(PoolTask[RankingRow]):
    """Judge a problem's samples and choose one; `by` is None where samples are stored."""

    command: ClassVar[str] = "rank"
    row_type = RankingRow

    judged: JudgedBy
    by: PolicyChoice | None
    ranking: RankSettings

    @property
    def settings(self) -> JsonObject:
        """The settings of the ranking."""
        return json_object(self.ranking)

    @asynccontextmanager
    async def open(self) -> AsyncGenerator[PoolWorker[RankingRow], None]:
        """The judge, the answer checker and, if samples are drawn, the policy."""
        async with _open(self.judged, self.by) as tools:
            yield PoolWorker(tools, self._row)

    async def _row(self, tools: Tools, row: int, item: Pool) -> RankingRow:
        assert tools.step_judge is not None
        asked, seed = self.ranking, self.judged.settings.seed
        if tools.author is None:
            pool = replace(item, samples=item.samples[: asked.count])
        else:
            pool = await draw(tools.author, item.problem, asked.count, seed=seed, row=row)
        if asked.early_abandon:
            candidates = await judge_best_first(tools.step_judge, pool, asked.score, row=row)
        else:
            candidates = await judge_all(tools.step_judge, pool, row=row)
        return await asyncio.to_thread(
            ranking_row,
            row,
            pool,
            candidates,
            method=asked.method,
            score=asked.score,
            checker=tools.checker,
        )


@dataclass(frozen=True, slots=True)
class RefineTask(PoolTask[RefinementRow]):
    """Let the policy write its answer again, with the judge's critique."""

    command: ClassVar[str] = "refine"
    row_type = RefinementRow

    judged: JudgedBy
    by: PolicyChoice
    refining: RefineSettings

    @property
    def settings(self) -> JsonObject:
        """The settings of the refinement."""
        return json_object(self.refining)

    @asynccontextmanager
    async def open(self) -> AsyncGenerator[PoolWorker[RefinementRow], None]:
        """The judge, the policy and the answer checker."""
        async with _open(self.judged, self.by) as tools:
            yield PoolWorker(tools, self._row)

    async def _row(self, tools: Tools, row: int, item: Pool) -> RefinementRow:
        assert tools.author is not None
        assert tools.step_judge is not None
        refiner = Refiner(tools.author, tools.step_judge, self.refining)
        first = item.samples[0] if item.samples else None
        found = await refiner.refine(item.problem, row=row, first=first)
        critic = self.refining.critic
        return await asyncio.to_thread(
            refinement_row, row, item.problem, found, critic=critic, checker=tools.checker
        )


@dataclass(frozen=True, slots=True)
class SearchTask(PoolTask[SearchRow]):
    """Let the judge guide the policy step by step."""

    command: ClassVar[str] = "search"
    row_type = SearchRow

    judged: JudgedBy
    by: PolicyChoice
    searching: SearchSettings

    @property
    def settings(self) -> JsonObject:
        """The settings of the search."""
        return json_object(self.searching)

    @asynccontextmanager
    async def open(self) -> AsyncGenerator[PoolWorker[SearchRow], None]:
        """The judge, the policy and the answer checker."""
        async with _open(self.judged, self.by) as tools:
            yield PoolWorker(tools, self._row)

    async def _row(self, tools: Tools, row: int, item: Pool) -> SearchRow:
        assert tools.author is not None
        assert tools.step_judge is not None
        searcher = Searcher(tools.author, tools.step_judge, self.searching)
        found = await searcher.search(item.problem, row=row)
        return await asyncio.to_thread(search_row, row, item.problem, found, checker=tools.checker)


@asynccontextmanager
async def _open(judged: JudgedBy | None, by: PolicyChoice | None) -> AsyncGenerator[Tools, None]:
    async with AsyncExitStack() as stack:
        checker = stack.enter_context(AnswerChecker())
        judge = policy = None
        if judged is not None:
            opened = open_judge(judged.choice, judged.settings)
            judge = await stack.enter_async_context(opened)
        if by is not None:
            policy = await stack.enter_async_context(open_policy(by.model, by.settings))
        yield Tools(checker, judge, policy)
