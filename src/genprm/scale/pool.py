"""Pools drawn once from a policy and shared by all methods.

A sample's seed is derived only from (run seed, row, index). So a pool of 8 is the beginning of the
pool of 32, and methods that draw their own samples draw the same solutions.
"""

from collections.abc import Sequence

from genprm.answer import AnswerChecker, Match, extract_answer
from genprm.concurrency import together
from genprm.policy import Policy, Sample
from genprm.pools import Pool
from genprm.problem import Problem, Solution
from genprm.records.pools import Cost, PoolRow, SampleRow
from genprm.seeds import seed_of
from genprm.verdict import total


async def draw(policy: Policy, problem: Problem, count: int, *, seed: int, row: int) -> Pool:
    """Ask the policy for `count` solutions at once.

    Raises:
        ContextExceeded, ModelError: as `Policy.solve`.
    """
    samples = await together(
        policy.solve(problem.text, seed=sample_seed(seed, row, index)) for index in range(count)
    )
    return Pool(problem, tuple(samples))


def sample_seed(seed: int, row: int, index: int, *path: int) -> int:
    """The seed of sample `index` of a row; `path` names a turn or node that follows from it."""
    return seed_of(seed, row, index, *path, bits=30)


def final_answer(sample: Sample) -> str | None:
    """The final answer of the sample; None if it was cut off."""
    return extract_answer(sample.text) if sample.complete else None


def to_solution(sample: Sample) -> Solution:
    """The sample as a verifier needs it."""
    return Solution(sample.problem, sample.steps or (sample.text,))


def pool_row(row: int, pool: Pool, checker: AnswerChecker) -> PoolRow:
    """A pool with its answers, graded if the gold answer is known. Blocks."""
    answers = tuple(final_answer(sample) for sample in pool.samples)
    correct, undecided = grade(pool.problem, answers, checker)
    return PoolRow(
        id=pool.problem.id,
        row=row,
        problem=pool.problem.text,
        answer=pool.problem.answer,
        extracted=answers,
        correct=correct,
        undecided=undecided,
        responses=tuple(sample.text for sample in pool.samples),
        samples=tuple(map(sample_row, pool.samples)),
        cost=Cost(policy=total(sample.usage for sample in pool.samples)),
    )


def sample_row(sample: Sample) -> SampleRow:
    """The row of a sample."""
    return SampleRow(
        steps=sample.steps, complete=sample.complete, seed=sample.seed, usage=sample.usage
    )


def grade(
    problem: Problem, answers: Sequence[str | None], checker: AnswerChecker
) -> tuple[tuple[bool, ...] | None, tuple[int, ...]]:
    """Which answers are correct, and the indices of the undecided ones. Blocks.

    If the gold answer is unknown, the result is None without indices.
    """
    if problem.answer is None:
        return None, ()
    matches = checker.compare_many((problem.answer, answer) for answer in answers)
    undecided = (index for index, match in enumerate(matches) if match is Match.UNDECIDED)
    return tuple(match is Match.EQUAL for match in matches), tuple(undecided)
