"""Stage 1, solutions: correct and incorrect paths, by step forcing (spec §3.1).

A problem is sampled in batches until it has enough paths of both kinds, or `max_samples` is
reached. A row is a batch: the outcomes of its samples, and those samples that are kept as paths.
The share of all samples that reach the gold answer is the problem's Pass@1, `MC(s_1)`.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from genprm.answer import AnswerChecker, Match, extract_answer
from genprm.concurrency import as_finished, together
from genprm.curate.recipe import Solutions
from genprm.curate.samples import (
    Drawn,
    ProblemSamples,
    batch_row,
    combine,
)
from genprm.errors import RequestFailed
from genprm.journal import Journal
from genprm.policy import Policy, Sample
from genprm.problem import Problem
from genprm.records.curation import BatchRow
from genprm.records.run_spec import PolicySpec
from genprm.seeds import seed_of
from genprm.worker import Worker


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch to draw: number `number` of its problem, after the samples `before` it."""

    problem: Problem
    number: int
    before: ProblemSamples


class BatchWorker:
    """Draws batches from a policy and grades them; see `Worker`."""

    judge = None

    def __init__(
        self, policy: Policy, checker: AnswerChecker, settings: Solutions, *, seed: int
    ) -> None:
        self._policy = policy
        self._checker = checker
        self._settings = settings
        self._seed = seed

    @property
    def policy(self) -> PolicySpec:
        """The model that is asked."""
        return PolicySpec(model=self._policy.model.identity)

    async def make(self, row: int, item: Batch) -> BatchRow:
        """The batch; a request that fails alone is counted as a failed sample."""
        indices = _indices(item, self._settings)
        answers = await together(self._attempt(item.problem, index) for index in indices)
        drawn = await compare(item.problem, answers, self._checker)
        return batch_row(item.problem, item.number, drawn, item.before, self._settings)

    async def _attempt(self, problem: Problem, index: int) -> Sample | RequestFailed:
        try:
            own = seed_of(self._seed, "solution", problem.id, index, bits=31)
            return await self._policy.solve(problem.text, seed=own)
        except RequestFailed as error:
            return error


async def sample_solutions(
    problems: Sequence[Problem],
    worker: Worker[Batch, BatchRow],
    settings: Solutions,
    *,
    at_once: int,
    journal: Journal[BatchRow],
    on_problem: Callable[[], None] = lambda: None,
) -> None:
    """Sample `at_once` problems until each is settled; batches are journalled as they finish.

    A batch that fails as a whole is stored as failed samples, and ends its problem.

    Raises:
        ModelError: the policy's engine failed permanently.
    """
    known = defaultdict(list)
    for row in journal.rows():
        known[row.problem].append(row)

    async def settle(place: int, problem: Problem) -> None:
        batches = sorted(known[problem.id], key=lambda batch: batch.batch)
        while not (samples := combine(batches)).settled(settings):
            batch = Batch(problem, len(batches), samples)
            try:
                row = await worker.make(place, batch)
            except RequestFailed as error:
                row = _failed(batch, error, settings)
            journal.append(row)
            batches.append(row)
        on_problem()

    jobs = (settle(place, problem) for place, problem in enumerate(problems))
    async with aclosing(as_finished(jobs, at_once)) as settling:
        async for _ in settling:
            pass


def batches_at_once(settings: Solutions) -> int:
    """The number of concurrent batches that gives the concurrency in the recipe."""
    return max(1, settings.concurrency // settings.batch_size)


def _indices(batch: Batch, settings: Solutions) -> range:
    """The indices of the batch's samples among all samples of its problem."""
    sampled = batch.before.sampled
    return range(sampled, min(sampled + settings.batch_size, settings.max_samples))


def _failed(batch: Batch, error: RequestFailed, settings: Solutions) -> BatchRow:
    drawn = [Drawn(None, Match.UNDECIDED, str(error)) for _ in _indices(batch, settings)]
    return batch_row(batch.problem, batch.number, drawn, batch.before, settings)


async def compare(
    problem: Problem, answers: Sequence[Sample | RequestFailed], checker: AnswerChecker
) -> list[Drawn]:
    """Whether each sample reaches the gold answer; samples that were cut off or failed do not."""
    assert problem.answer is not None
    stated = [
        extract_answer(one.text) if isinstance(one, Sample) and one.complete else None
        for one in answers
    ]
    pairs = [(problem.answer, answer) for answer in stated]
    matches: Sequence[Match] = await asyncio.to_thread(checker.compare_many, pairs)
    return [
        Drawn(one, match) if isinstance(one, Sample) else Drawn(None, match, str(one))
        for one, match in zip(answers, matches, strict=True)
    ]


def batch_order(problems: Sequence[Problem], journal: Journal[BatchRow]) -> list[str]:
    """Keys of all batches: problems in order, batches in order."""
    counts: dict[str, int] = defaultdict(int)
    for row in journal.rows():
        counts[row.problem] += 1
    return [f"{one.id}#{number}" for one in problems for number in range(counts[one.id])]
