"""Sampling paths: when it stops, what becomes a path, why a problem is dropped."""

import asyncio
import pathlib
import random
from collections.abc import Callable
from pathlib import Path as File

import pytest
from scripted import Scripted

from genprm.answer import AnswerChecker, Match
from genprm.curate.folder import StageJournal, StageRow
from genprm.curate.recipe import Solutions
from genprm.curate.solutions import (
    Dropped,
    Fate,
    Paths,
    by_problem,
    fate,
    sample_solutions,
    wave_order,
)
from genprm.journal import Journal
from genprm.policy import Policy, Sample
from genprm.problem import Problem
from genprm.records.run_spec import RunSpec

PROBLEM = Problem("p", "1 + 1", "2")
SETTINGS = Solutions(model="m", right=2, wrong=2, cap=20, wave=4)


def stage_journal(path: pathlib.Path) -> StageJournal:
    return StageJournal(Journal(path, RunSpec(command="test"), StageRow))


def sample(
    folder: File, say: Callable[[str, int], str], settings: Solutions = SETTINGS
) -> tuple[Paths, Scripted]:
    model = Scripted(say, lambda _: {})

    async def run() -> Paths:
        with stage_journal(folder / "rows.jsonl") as journal, AnswerChecker() as checker:
            policy = Policy(model, settings.policy_settings())
            await sample_solutions([PROBLEM], policy, checker, settings, seed=0, journal=journal)
            journal.finish(wave_order([PROBLEM], journal))
            return by_problem(journal.rows())["p"]

    return asyncio.run(run()), model


def by_seed(*texts: str) -> Callable[[str, int], str]:
    return lambda prompt, seed: random.Random(seed).choice(texts).format(seed)


RIGHT, WRONG = " It is {}; no, the answer is 2.", " It is {}; no, the answer is 3."


def test_it_stops_when_there_are_enough_of_both(tmp_path: File) -> None:
    paths, model = sample(tmp_path, by_seed(RIGHT, WRONG))
    assert (paths.right, paths.wrong) == (2, 2)
    assert paths.sampled == len(model.asked) < 20
    assert paths.sampled % 4 == 0
    assert paths.dropped is None
    assert 0 < paths.pass_at_1 < 1


def test_every_request_has_a_seed_of_its_own_and_the_forced_step(tmp_path: File) -> None:
    _, model = sample(tmp_path, by_seed(RIGHT, WRONG))
    assert len({seed for _, seed in model.asked}) == len(model.asked)
    assert all(prompt.endswith("<assistant>Step 1:") for prompt, _ in model.asked)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (RIGHT, Dropped.NEVER_WRONG),
        (WRONG, Dropped.NEVER_RIGHT),
        (" Look.\n\nStep 5: The answer is 2.", Dropped.NO_PATH),
    ],
)
def test_a_problem_of_one_kind_is_dropped_at_the_cap(
    tmp_path: File, text: str, reason: Dropped
) -> None:
    paths, model = sample(tmp_path, lambda prompt, seed: text.format(seed))
    assert len(model.asked) == 20
    assert paths.dropped is reason


def test_the_last_wave_stays_within_the_cap(tmp_path: File) -> None:
    settings = SETTINGS.model_copy(update={"cap": 6})
    _, model = sample(tmp_path, lambda prompt, seed: WRONG.format(seed), settings)
    assert len(model.asked) == 6


def test_the_same_solution_twice_is_one_path(tmp_path: File) -> None:
    paths, _ = sample(tmp_path, by_seed(" The answer is 2.", " The answer is 3."))
    assert (paths.right, paths.wrong) == (1, 1)
    assert paths.sampled == 20


@pytest.mark.parametrize(
    ("steps", "complete", "match", "expected"),
    [
        (("Step 1: a", "Step 2: b"), True, Match.EQUAL, Fate.RIGHT),
        (("**Step 1** a", "## Step 2: b"), True, Match.DIFFERENT, Fate.WRONG),
        (("Step 1: a",), True, Match.UNDECIDED, Fate.UNDECIDED),
        (("Step 1: a",), False, Match.EQUAL, Fate.UNFINISHED),
        (("Step 1: a", "Step 3: b"), True, Match.EQUAL, Fate.UNMARKED),
        (("a", "Step 2: b"), True, Match.EQUAL, Fate.UNMARKED),
        ((), True, Match.EQUAL, Fate.UNMARKED),
        (("Step 1: a", "Step 2: b", "Step 3: c"), True, Match.EQUAL, Fate.TOO_LONG),
    ],
)
def test_fates(steps: tuple[str, ...], complete: bool, match: Match, expected: Fate) -> None:
    drawn = Sample("p", steps, complete=complete, seed=0)
    assert fate(drawn, match, max_steps=2) is expected
