"""Rollouts: what is asked, once; what a score counts; how many requests fly at a time."""

import asyncio
import pathlib
import random
from collections import Counter
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path as File

from scripted import Scripted

from genprm.answer import AnswerChecker
from genprm.curate.folder import KEY, Row, StageJournal, StageRow
from genprm.curate.recipe import Band, Rollouts
from genprm.curate.rollouts import Tree, path_scores, row_order, score_of, score_prefixes
from genprm.curate.solutions import Path
from genprm.journal import Journal
from genprm.policy import Policy
from genprm.problem import Problem
from genprm.records.run_spec import RunSpec

PROBLEM = Problem("p", "1 + 1 + 1", "3")
SETTINGS = Rollouts(
    model="m",
    concurrency=3,
    bands=(Band(below=0.5, completions=6), Band(below=1.0, completions=4)),
)
TREE = Tree(
    PROBLEM,
    (
        Path("p/0", ("Step 1: good", "Step 2: good", "Step 3: 3"), right=True),
        Path("p/1", ("Step 1: good", "Step 2: bad", "Step 3: ugly", "Step 4: 4"), right=False),
        Path("p/2", ("Step 1: good", "Step 2: good", "Step 3: 5"), right=False),
    ),
    Fraction(3, 4),
)


def stage_journal(path: pathlib.Path) -> StageJournal:
    return StageJournal(Journal(path, RunSpec(command="test"), StageRow))


def say(prompt: str, seed: int) -> str:
    if "bad" in prompt:
        return " The answer is 4."
    return " The answer is 3." if random.Random(seed).random() < 0.8 else " The answer is 5."


def run(
    folder: File, answer: Callable[[str, int], str] = say, *, tree: Tree = TREE
) -> tuple[list[Row], Scripted]:
    model = Scripted(answer, lambda _: {})

    async def go() -> list[Row]:
        with stage_journal(folder / "rows.jsonl") as journal, AnswerChecker() as checker:
            policy = Policy(model, SETTINGS.policy_settings())
            await score_prefixes([tree], policy, checker, SETTINGS, seed=0, journal=journal)
            stored = {row[KEY]: score_of(row) for row in journal.rows()}
            journal.finish(row_order([tree], SETTINGS, stored))
            return list(journal.rows())

    return asyncio.run(go()), model


def test_a_shared_prefix_is_sampled_once_and_nothing_after_a_zero(tmp_path: File) -> None:
    rows, model = run(tmp_path)
    # good | good good | good bad: 3 prefixes of 4; nothing after "bad"
    assert [row["step"] for row in rows] == [1, 2, 2]
    assert len(model.asked) == 12
    assert not any("ugly" in prompt for prompt, _ in model.asked)
    assert set(Counter(prompt for prompt, _ in model.asked).values()) == {4}


def test_completions_continue_the_prefix_with_the_next_step(tmp_path: File) -> None:
    _, model = run(tmp_path)
    prompts = {prompt for prompt, _ in model.asked}
    assert "<user>1 + 1 + 1<assistant>Step 1: good\n\nStep 2:" in prompts
    assert "<user>1 + 1 + 1<assistant>Step 1: good\n\nStep 2: bad\n\nStep 3:" in prompts


def test_a_hard_problem_gets_more_completions(tmp_path: File) -> None:
    hard = Tree(PROBLEM, TREE.paths, Fraction(1, 4))
    _, model = run(tmp_path, tree=hard)
    assert len(model.asked) == 18


def test_scores_follow_the_paths(tmp_path: File) -> None:
    rows, _ = run(tmp_path)
    stored = {row[KEY]: score_of(row) for row in rows}
    first, second, third = (path_scores(TREE, path, SETTINGS, stored)[0] for path in TREE.paths)
    good = float(stored[TREE.key(("Step 1: good",))].value)
    assert [float(s.value) for s in second if s] == [good, 0, 0, 0]
    assert [s.value for s in first if s][-1] == 1
    assert [s.value for s in third if s][-1] == 0
    assert all(row["hits"] + row["misses"] == 4 for row in rows)
    assert all(row["interval"][0] <= row["mc"] <= row["interval"][1] for row in rows)


def test_requests_in_flight_are_bounded(tmp_path: File) -> None:
    _, model = run(tmp_path)
    assert model.most_running == 3
