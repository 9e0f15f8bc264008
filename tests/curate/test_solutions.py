"""Sampling paths: when it stops, what becomes a path, why a problem is dropped."""

import asyncio
import random
from collections.abc import Callable
from pathlib import Path

import pytest
from scripted import Scripted

from genprm.answer import AnswerChecker, Match
from genprm.curate.recipe import Solutions
from genprm.curate.samples import Dropped, ProblemSamples, by_problem, outcome_of
from genprm.curate.solutions import BatchWorker, batch_order, sample_solutions
from genprm.errors import RequestFailed
from genprm.journal import Journal
from genprm.policy import Policy, Sample
from genprm.problem import Problem
from genprm.records.curation import BatchRow, SampleOutcome
from genprm.records.run_spec import RunSpec

PROBLEM = Problem("p", "1 + 1", "2")
SETTINGS = Solutions(model="m", correct=2, incorrect=2, max_samples=20, batch_size=4)


def opened(folder: Path) -> Journal[BatchRow]:
    return Journal(folder / "rows.jsonl", RunSpec(command="test"), BatchRow)


def sample(
    folder: Path, say: Callable[[str, int], str], settings: Solutions = SETTINGS
) -> tuple[ProblemSamples, Scripted]:
    model = Scripted(say, lambda _: {})

    async def run() -> ProblemSamples:
        with opened(folder) as journal, AnswerChecker() as checker:
            policy = Policy(model, settings.policy_settings())
            worker = BatchWorker(policy, checker, settings, seed=0)
            await sample_solutions([PROBLEM], worker, settings, at_once=1, journal=journal)
            journal.finish(batch_order([PROBLEM], journal))
            return by_problem(journal.rows())["p"]

    return asyncio.run(run()), model


def by_seed(*texts: str) -> Callable[[str, int], str]:
    return lambda prompt, seed: random.Random(seed).choice(texts).format(seed)


RIGHT, WRONG = " It is {}; no, the answer is 2.", " It is {}; no, the answer is 3."


def test_it_stops_when_there_are_enough_of_both(tmp_path: Path) -> None:
    paths, model = sample(tmp_path, by_seed(RIGHT, WRONG))
    assert (paths.correct, paths.incorrect) == (2, 2)
    assert paths.sampled == len(model.asked) < 20
    assert paths.sampled % 4 == 0
    assert paths.dropped is None
    assert 0 < paths.pass_at_1 < 1


def test_every_request_has_a_seed_of_its_own_and_the_forced_step(tmp_path: Path) -> None:
    _, model = sample(tmp_path, by_seed(RIGHT, WRONG))
    assert len({seed for _, seed in model.asked}) == len(model.asked)
    assert all(prompt.endswith("<assistant>Step 1:") for prompt, _ in model.asked)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (RIGHT, Dropped.NEVER_INCORRECT),
        (WRONG, Dropped.NEVER_CORRECT),
        (" Look.\n\nStep 5: The answer is 2.", Dropped.NO_PATH),
    ],
)
def test_a_problem_of_one_kind_is_dropped_at_the_limit(
    tmp_path: Path, text: str, reason: Dropped
) -> None:
    paths, model = sample(tmp_path, lambda prompt, seed: text.format(seed))
    assert len(model.asked) == 20
    assert paths.dropped is reason


def test_the_last_batch_stays_within_the_limit(tmp_path: Path) -> None:
    settings = SETTINGS.model_copy(update={"max_samples": 6})
    _, model = sample(tmp_path, lambda prompt, seed: WRONG.format(seed), settings)
    assert len(model.asked) == 6


def test_the_same_solution_twice_is_one_path(tmp_path: Path) -> None:
    paths, _ = sample(tmp_path, by_seed(" The answer is 2.", " The answer is 3."))
    assert (paths.correct, paths.incorrect) == (1, 1)
    assert paths.sampled == 20


@pytest.mark.parametrize(
    ("steps", "complete", "match", "expected"),
    [
        (("Step 1: a", "Step 2: b"), True, Match.EQUAL, SampleOutcome.CORRECT),
        (("**Step 1** a", "## Step 2: b"), True, Match.DIFFERENT, SampleOutcome.INCORRECT),
        (("Step 1: a",), True, Match.UNDECIDED, SampleOutcome.UNDECIDED),
        (("Step 1: a",), False, Match.EQUAL, SampleOutcome.UNFINISHED),
        (("Step 1: a", "Step 3: b"), True, Match.EQUAL, SampleOutcome.UNMARKED),
        (("a", "Step 2: b"), True, Match.EQUAL, SampleOutcome.UNMARKED),
        ((), True, Match.EQUAL, SampleOutcome.UNMARKED),
        (("Step 1: a", "Step 2: b", "Step 3: c"), True, Match.EQUAL, SampleOutcome.TOO_LONG),
    ],
)
def test_outcomes(
    steps: tuple[str, ...], complete: bool, match: Match, expected: SampleOutcome
) -> None:
    drawn = Sample("p", steps, complete=complete, seed=0)
    assert outcome_of(drawn, match, max_steps=2) is expected


def test_a_request_that_fails_is_a_failed_sample(tmp_path: Path) -> None:
    def refuse(prompt: str, seed: int) -> str:
        if seed % 3 == 0:
            raise RequestFailed("refused")
        return RIGHT.format(seed) if seed % 3 == 1 else WRONG.format(seed)

    paths, model = sample(tmp_path, refuse)
    failed = sum(seed % 3 == 0 for _, seed in model.asked)
    assert paths.outcomes[SampleOutcome.FAILED] == failed > 0
    assert (paths.correct, paths.incorrect) == (2, 2)


def test_a_batch_of_nothing_but_failures_ends_the_problem_until_it_is_retried(
    tmp_path: Path,
) -> None:
    def refuse(prompt: str, seed: int) -> str:
        raise RequestFailed("refused")

    paths, model = sample(tmp_path, refuse)
    assert len(model.asked) == 4
    assert paths.failed == "refused"
    retried = Journal(tmp_path / "rows.jsonl", RunSpec(command="test"), BatchRow, retry_failed=True)
    with retried as journal:
        assert len(journal) == 0


def test_an_example_of_every_unused_kind_is_kept_once(tmp_path: Path) -> None:
    sample(tmp_path, lambda prompt, seed: f" Look {seed}.\n\nStep 5: The answer is 2.")
    with opened(tmp_path) as journal:
        shown = [row.examples for row in journal.rows()]
    assert list(shown[0]) == [SampleOutcome.UNMARKED]
    assert not any(shown[1:])
