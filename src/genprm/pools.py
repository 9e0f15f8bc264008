"""Pools: a problem with many solutions of one policy, and the one reader of pool files."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from pydantic import ValidationError

from genprm.bad_rows import BadRows
from genprm.dataset import problem_of
from genprm.errors import InputError
from genprm.files import Row, as_object, read_file
from genprm.policy import Sample
from genprm.problem import Problem, split_steps
from genprm.records.pools import PoolInput, StepScores
from genprm.records.validation import first_fault


@dataclass(frozen=True, slots=True)
class Pool:
    """A problem and solutions of it; `stored` is what else a file says about them.

    `samples` are absent if a file has only final answers.
    """

    problem: Problem
    samples: tuple[Sample, ...] = ()
    stored: "Stored | None" = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Stored:
    """What a file says about each sample; scores are by scorer, [samples][steps]."""

    responses: tuple[str, ...] | None = None
    extracted: tuple[str | None, ...] | None = None
    correct: tuple[bool, ...] | None = None
    step_scores: Mapping[str, tuple[StepScores, ...]] = field(default_factory=dict)


def read_pools(source: str, bad: BadRows | None = None) -> list[Pool]:
    """Read problems with samples of `genprm sample`, or with `responses` from any other source.

    If another source does not give the tokens of a response, they count as 0. A pool without the
    text of the problem has an empty one.

    Raises:
        InputError: one line that names the file, the row, the field and the fix; for a bad row
            only if `bad` does not skip it.
    """
    bad = bad or BadRows()
    pools: list[Pool] = []
    for number, (place, row) in enumerate(read_file(source).rows()):
        with bad.row():
            pools.append(_pool(place, as_object(place, row), number))
    if not pools:
        raise InputError(f"{source}: there are no rows; fix: write problems with responses")
    return pools


def with_samples(source: str, pools: list[Pool]) -> list[Pool]:
    """Return the pools if each has the text of its problem and its solutions.

    Raises:
        InputError: one has only answers, or no problem.
    """
    for pool in pools:
        if not pool.problem.text or not pool.samples:
            lacks = "samples" if pool.problem.text else "problem"
            raise InputError(
                f"{source}: {pool.problem.id}: field {lacks}: missing; fix: add the "
                + ("problem's text" if lacks == "problem" else "solutions' texts as responses")
            )
    return pools


def _pool(place: str, row: Row, number: int) -> Pool:
    has_problem = any(row.get(name) for name in ("problem", "question", "input"))
    problem = problem_of(place, row if has_problem else {**row, "problem": "?"}, number)
    if not has_problem:
        problem = Problem(problem.id, "", problem.answer)
    try:
        parsed = PoolInput.model_validate(row)
    except ValidationError as error:
        raise InputError(f"{place}: {first_fault(error)}") from None
    scores = {
        name: tuple(column if column is not None else () for column in columns)
        for name, columns in parsed.prm_step_scores.items()
    }
    stored = Stored(parsed.responses, parsed.extracted or None, parsed.correct, scores)
    return Pool(problem, tuple(_samples(problem, parsed)), stored)


def _samples(problem: Problem, parsed: PoolInput) -> Iterator[Sample]:
    if parsed.samples:
        for sample in parsed.samples:
            yield Sample(problem.text, sample.steps, sample.complete, sample.seed, sample.usage)
        return
    for index, response in enumerate(parsed.responses or ()):
        yield Sample(problem.text, split_steps(response), complete=True, seed=index)
