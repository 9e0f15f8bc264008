"""Stored runs read again equal fresh ones, byte for byte."""

import asyncio
import json
from math import log
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scripted import Scripted
from typer.testing import CliRunner

from genprm.cli.main import app
from genprm.journal import Journal
from genprm.problem import Solution
from genprm.records.pools import Cost
from genprm.records.run_spec import RunSpec
from genprm.records.searches import SearchRow, TreeNodeRow
from genprm.records.verdicts import VerdictRow
from genprm.tasks.rescoring import Rule, paths
from genprm.verify.aggregate import Aggregate
from genprm.verify.format import Mode
from genprm.verify.settings import Settings
from genprm.verify.verifier import Verifier

SOLUTION = Solution("1 + 1?", ("fine", "wrong", "doubtful"), "a", {"source": "mine"})


def judge(prompt: str) -> dict[str, float]:
    step = prompt.rsplit("<user>", 1)[1].split("<analyze>", maxsplit=1)[0]
    reward = 0.1 if "wrong" in step else 0.6 if "doubtful" in step else 0.9
    return {"Yes": log(reward), "No": log(1 - reward)}


def fresh(votes: int, *, stop: bool = False) -> VerdictRow:
    model = Scripted(lambda prompt, seed: f"Vote {seed}.\n</analyze>\n", judge)
    settings = Settings(mode=Mode.COT, votes=votes, stop_at_first_error=stop)
    verifier = Verifier(model, None, settings, clock=lambda: 0.0)  # type: ignore[arg-type]
    return VerdictRow.of(0, SOLUTION, asyncio.run(verifier.verify(SOLUTION)))


@pytest.mark.parametrize("votes", [1, 2, 4, 5])
def test_fewer_votes_equal_a_fresh_run(votes: int) -> None:
    rule = Rule(votes=votes)
    assert rule.row(fresh(4)).line() == fresh(min(votes, 4)).line()
    assert rule.kept_differs(fresh(4)) == 0


def test_stopping_at_the_first_error_equals_a_fresh_run() -> None:
    assert Rule(stop_at_first_error=True).row(fresh(2)).line() == fresh(2, stop=True).line()


@given(st.floats(0, 1))
def test_a_threshold_moves_the_labels_alone(threshold: float) -> None:
    row = Rule(threshold=threshold, score=Aggregate.MIN).row(STORED)
    assert [step.label for step in row.steps] == [
        step.reward is not None and step.reward >= threshold for step in row.steps
    ]
    wrong = [index for index, step in enumerate(row.steps) if not step.label]
    assert row.first_error == (wrong[0] if wrong else -1)
    assert row.model_extra is not None
    assert row.model_extra["score"] == pytest.approx(0.1)


STORED = fresh(2)


def node(name: int, parent: int, reward: float) -> TreeNodeRow:
    return TreeNodeRow(
        id=name, parent=parent, step=f"s{name}", complete=name == 3, count=1, subtree=0,
        reward=reward, votes=(reward,), value=reward / 2, kept=True, seed=0, cost=Cost(),
    )  # fmt: skip


def test_search_trees_become_paths_with_step_values() -> None:
    tree = SearchRow(
        id="a", row=0, problem="?", answer=None, responses=(), leaves=(), unguided=None,
        choices={}, choice=None, choice_answer=None, ended="done",
        tree=(node(1, 0, 0.5), node(2, 1, 0.25), node(3, 1, 1.0)),
    )  # fmt: skip
    first, second = paths(tree)
    assert (first.steps, first.rewards, first.values) == (("s1", "s2"), (0.5, 0.25), (0.25, 0.125))
    assert (second.leaf, second.complete, second.score) == (3, True, 0.5)


def test_the_command_reads_a_run(tmp_path: Path) -> None:
    run = tmp_path / "run.jsonl"
    with Journal(run, RunSpec(command="verify"), VerdictRow) as journal:
        journal.append(fresh(2))
        journal.finish([0])
    done = CliRunner().invoke(app, ["rescore", str(run), "--threshold", "0.95", "--votes", "1"])
    row = json.loads(done.stdout)
    assert (row["first_error"], row["source"]) == (0, "mine")
    assert [step["asked"] for step in row["steps"]] == [1, 1, 1]


def test_a_run_becomes_the_scores_that_inspect_reads(tmp_path: Path) -> None:
    run = tmp_path / "run.jsonl"
    with Journal(run, RunSpec(command="verify"), VerdictRow) as journal:
        journal.append(fresh(2))
        journal.finish([0])
    done = CliRunner().invoke(app, ["rescore", str(run), "--inspect"])
    record = json.loads(done.stdout)
    assert (record["id"], record["value"]) == ("a", 0.0)
    assert record["explanation"].startswith("Vote ")
    assert record["metadata"]["first_error"] == 1
    lowest = CliRunner().invoke(app, ["rescore", str(run), "--inspect", "--score", "min"])
    assert json.loads(lowest.stdout)["value"] == pytest.approx(0.1)
