"""Stage 1, solutions: correct and incorrect paths, by step forcing (spec §3.1).

A problem is sampled in batches until it has enough paths of both kinds, or `max_samples` is
reached. A row is a batch: what came of its samples, and those of them that are kept as paths. The
share of all samples that reach the gold answer is the problem's Pass@1, `MC(s_1)`.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import aclosing

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
from genprm.seeds import seed_of


async def sample_solutions(
    problems: Sequence[Problem],
    policy: Policy,
    checker: AnswerChecker,
    settings: Solutions,
    *,
    seed: int,
    journal: Journal[BatchRow],
    on_problem: Callable[[], None] = lambda: None,
) -> None:
    """Sample until every problem is settled; each batch is journalled as it finishes.

    A request that fails alone is counted as a failed sample.

    Raises:
        ModelError: the policy's engine failed for good.
    """
    known = defaultdict(list)
    for row in journal.rows():
        known[row.problem].append(row)

    async def settle(problem: Problem) -> None:
        batches = sorted(known[problem.id], key=lambda batch: batch.batch)
        while not (samples := combine(batches)).settled(settings):
            row = await draw_batch(problem, len(batches), samples)
            journal.append(row)
            batches.append(row)
        on_problem()

    async def draw_batch(problem: Problem, number: int, before: ProblemSamples) -> BatchRow:
        stop = min(before.sampled + settings.batch_size, settings.max_samples)
        indices = range(before.sampled, stop)
        answers = await together(attempt(problem, index) for index in indices)
        drawn = await compare(problem, answers, checker)
        return batch_row(problem, number, drawn, before, settings)

    async def attempt(problem: Problem, index: int) -> Sample | RequestFailed:
        try:
            own = seed_of(seed, "solution", problem.id, index, bits=31)
            return await policy.solve(problem.text, seed=own)
        except RequestFailed as error:
            return error

    jobs = (settle(problem) for problem in problems)
    at_once = max(1, settings.concurrency // settings.batch_size)
    async with aclosing(as_finished(jobs, at_once)) as settling:
        async for _ in settling:
            pass


async def compare(
    problem: Problem, answers: Sequence[Sample | RequestFailed], checker: AnswerChecker
) -> list[Drawn]:
    """Whether each sample reaches the gold answer; one that was cut off or failed does not."""
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
