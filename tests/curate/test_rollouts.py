"""Rollouts: what is asked, once; what a score counts; how many requests fly at a time."""

import asyncio
import random
from collections import Counter
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

from scripted import Scripted

from genprm.answer import AnswerChecker
from genprm.curate.recipe import Band, Rollouts
from genprm.curate.rollouts import (
    ProblemPaths,
    RolloutWorker,
    path_scores,
    row_order,
    score_prefixes,
    scored_paths,
    stored_scores,
)
from genprm.curate.samples import SolutionPath
from genprm.errors import ContextExceeded
from genprm.journal import Journal
from genprm.policy import Policy
from genprm.problem import Problem
from genprm.records.curation import RolloutRow
from genprm.records.run_spec import RunSpec

PROBLEM = Problem("p", "1 + 1 + 1", "3")
SETTINGS = Rollouts(
    model="m",
    concurrency=3,
    bands=(Band(below=0.5, completions=6), Band(below=1.0, completions=4)),
)
PATHS = ProblemPaths(
    PROBLEM,
    (
        SolutionPath("p/0", ("Step 1: good", "Step 2: good", "Step 3: 3"), correct=True),
        SolutionPath(
            "p/1", ("Step 1: good", "Step 2: bad", "Step 3: ugly", "Step 4: 4"), correct=False
        ),
        SolutionPath("p/2", ("Step 1: good", "Step 2: good", "Step 3: 5"), correct=False),
    ),
    Fraction(3, 4),
)


def say(prompt: str, seed: int) -> str:
    if "bad" in prompt:
        return " The answer is 4."
    return " The answer is 3." if random.Random(seed).random() < 0.8 else " The answer is 5."


def run(
    folder: Path, answer: Callable[[str, int], str] = say, *, problem: ProblemPaths = PATHS
) -> tuple[list[RolloutRow], Scripted]:
    model = Scripted(answer, lambda _: {})

    async def go() -> list[RolloutRow]:
        with (
            Journal(folder / "rows.jsonl", RunSpec(command="test"), RolloutRow) as journal,
            AnswerChecker() as checker,
        ):
            policy = Policy(model, SETTINGS.policy_settings())
            worker = RolloutWorker(policy, checker, SETTINGS, seed=0)
            at_once = SETTINGS.concurrency
            await score_prefixes([problem], worker, SETTINGS, at_once=at_once, journal=journal)
            journal.finish(row_order([problem], journal))
            return list(journal.rows())

    return asyncio.run(go()), model


def test_a_shared_prefix_is_sampled_once_and_nothing_after_a_zero(tmp_path: Path) -> None:
    rows, model = run(tmp_path)
    # good | good good | good bad: 3 prefixes of 4; nothing after "bad"
    assert [row.step for row in rows] == [1, 2, 2]
    assert len(model.asked) == 12
    assert not any("ugly" in prompt for prompt, _ in model.asked)
    assert set(Counter(prompt for prompt, _ in model.asked).values()) == {4}


def test_completions_continue_the_prefix_with_the_next_step(tmp_path: Path) -> None:
    _, model = run(tmp_path)
    prompts = {prompt for prompt, _ in model.asked}
    assert "<user>1 + 1 + 1<assistant>Step 1: good\n\nStep 2:" in prompts
    assert "<user>1 + 1 + 1<assistant>Step 1: good\n\nStep 2: bad\n\nStep 3:" in prompts


def test_a_hard_problem_gets_more_completions(tmp_path: Path) -> None:
    hard = ProblemPaths(PROBLEM, PATHS.paths, Fraction(1, 4))
    _, model = run(tmp_path, problem=hard)
    assert len(model.asked) == 18


def test_scores_follow_the_paths(tmp_path: Path) -> None:
    rows, _ = run(tmp_path)
    stored = stored_scores(rows)
    first, second, third = (path_scores(PATHS, path, SETTINGS, stored)[0] for path in PATHS.paths)
    good = float(stored[PATHS.key(("Step 1: good",))].value)
    assert [float(s.value) for s in second if s] == [good, 0, 0, 0]
    assert [s.value for s in first if s][-1] == 1
    assert [s.value for s in third if s][-1] == 0
    assert all(row.hits + row.misses == 4 for row in rows)
    assert all(row.interval[0] <= row.mc <= row.interval[1] for row in rows)


def test_requests_in_flight_are_bounded(tmp_path: Path) -> None:
    _, model = run(tmp_path)
    assert model.most_running == 3


def test_a_completion_that_fails_leaves_the_others_and_a_failed_prefix_its_paths(
    tmp_path: Path,
) -> None:
    calls: Counter[str] = Counter()

    def refuse(prompt: str, seed: int) -> str:
        calls[prompt] += 1
        if "bad" in prompt or calls[prompt] == 1:
            raise ContextExceeded("too long")
        return " The answer is 3."

    rows, _ = run(tmp_path, refuse)
    bad = next(row for row in rows if row.failed)
    assert (bad.failures, bad.hits, bad.misses) == (4, 0, 0)
    assert bad.failed == "too long"
    assert all((row.hits, row.failures) == (3, 1) for row in rows if row is not bad)
    scored = scored_paths(PATHS, SETTINGS, stored_scores(rows))
    assert [path.id for path, _ in scored] == ["p/0", "p/2"]
