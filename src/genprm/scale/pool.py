"""Pools: a problem with many solutions of one policy, drawn once and shared by all methods.

A sample's seed comes from (run seed, row, index) alone, so a pool of 8 is the beginning of the
pool of 32, and methods that draw for themselves draw the same solutions.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError

from genprm.answer import AnswerChecker, Match, extract_answer
from genprm.concurrency import together
from genprm.dataset import first_fault, problem_of, read_rows
from genprm.errors import InputError
from genprm.policy import Policy, Sample
from genprm.problem import Problem, Solution, split_steps
from genprm.records.pools import Cost, PoolRow, SampleRow
from genprm.verdict import total


@dataclass(frozen=True, slots=True)
class Pool:
    """A problem and solutions of it."""

    problem: Problem
    samples: tuple[Sample, ...] = ()


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
    """The seed of sample `index` of a row; `path` names what follows from it (a turn, a node)."""
    name = "/".join(map(str, (seed, row, index, *path)))
    return int.from_bytes(blake2b(name.encode(), digest_size=4).digest()) >> 2


def final_answer(sample: Sample) -> str | None:
    """What the sample says in the end; a solution that was cut off says nothing."""
    return extract_answer(sample.text) if sample.complete else None


def to_solution(sample: Sample) -> Solution:
    """The sample as a verifier wants it."""
    return Solution(sample.problem, sample.steps or (sample.text,))


def pool_row(row: int, pool: Pool, checker: AnswerChecker) -> PoolRow:
    """A pool with its answers, graded where the gold answer is known. Blocks."""
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
    """A sample's record."""
    return SampleRow(
        steps=sample.steps, complete=sample.complete, seed=sample.seed, usage=sample.usage
    )


def grade(
    problem: Problem, answers: Sequence[str | None], checker: AnswerChecker
) -> tuple[tuple[bool, ...] | None, tuple[int, ...]]:
    """Which answers are right, and the indices of the undecided ones. Blocks.

    Nothing can be said where the gold answer is unknown: then None, and no index.
    """
    if problem.answer is None:
        return None, ()
    matches = checker.compare_many((problem.answer, answer) for answer in answers)
    undecided = (index for index, match in enumerate(matches) if match is Match.UNDECIDED)
    return tuple(match is Match.EQUAL for match in matches), tuple(undecided)


def read_pools(source: str) -> list[Pool]:
    """Read problems with samples: those of `to_row`, or `responses` of any other source.

    What another source does not say of a response is not made up: its tokens count as 0.

    Raises:
        InputError: one line that names the file, the row, the field and the mend.
    """
    pools = [_pool(place, row, number) for number, (place, row) in enumerate(read_rows(source))]
    if not pools:
        raise InputError(f"{source}: no rows; fix: problems with responses")
    return pools


def _some(values: list[Any] | None) -> list[Any] | None:
    if values is not None and not values:
        raise ValueError("is empty; fix: at least one")
    return values


class _PoolFields(BaseModel):
    model_config = ConfigDict(extra="ignore")

    samples: Annotated[list[SampleRow] | None, AfterValidator(_some)] = None
    responses: Annotated[list[str] | None, AfterValidator(_some)] = None


def _pool(place: str, row: Mapping[str, Any], number: int) -> Pool:
    problem = problem_of(place, dict(row), number)
    try:
        parsed = _PoolFields.model_validate(row)
    except ValidationError as error:
        raise InputError(f"{place}: {first_fault(error)}") from None
    if parsed.samples is not None:
        samples = [
            Sample(
                problem.text,
                sample.steps,
                sample.complete,
                sample.seed,
                sample.usage,
            )
            for sample in parsed.samples
        ]
    elif parsed.responses is not None:
        samples = [
            Sample(problem.text, split_steps(response), complete=True, seed=index)
            for index, response in enumerate(parsed.responses)
        ]
    else:
        raise InputError(f"{place}: field responses: missing; fix: add the solutions' texts")
    return Pool(problem, tuple(samples))
