"""Runs over a scripted model: what the folder keeps, going on, and what a bad row does."""

import asyncio
import json
from math import log
from pathlib import Path

import pytest
from scripted import Scripted

from genprm.errors import ContextExceeded, InputError, JournalError, ModelError
from genprm.evaluate.baselines.trivial import Constant
from genprm.evaluate.judges import VerifierJudge
from genprm.evaluate.labelled import LabelledSolution
from genprm.evaluate.run import WholeVerdict, read_run, run
from genprm.problem import Solution
from genprm.records.run_spec import JudgeSpec
from genprm.records.summaries import Summary
from genprm.sandboxes.inprocess import InProcess
from genprm.verify.format import Mode
from genprm.verify.settings import Settings
from genprm.verify.verifier import Verifier

ROWS = [
    LabelledSolution(Solution("p", ("good", "bad", "good"), "wrong-1"), 1, "s"),
    LabelledSolution(Solution("p", ("good", "good"), "right-1"), -1, "s", "G", answer_correct=True),
]


def judge_of(votes: int = 4) -> VerifierJudge:
    def say(prompt: str, seed: int) -> str:
        return "I looked.</analyze>\n"

    def judge(prompt: str) -> dict[str, float]:
        step = prompt.rpartition("<user>")[2]
        return {"Yes": log(0.1), "No": log(0.9)} if "bad" in step else {"Yes": log(0.9)}

    verifier = Verifier(Scripted(say, judge), InProcess(), Settings(mode=Mode.COT, votes=votes))
    return VerifierJudge(verifier)


class Flaky:
    """Fails for good at one row, the first time; cannot judge another at all."""

    def __init__(self, *, down: bool) -> None:
        self.down = down
        self.judged: list[str] = []

    @property
    def spec(self) -> JudgeSpec:
        return JudgeSpec(judge="flaky")

    async def judge(self, row: int, solution: Solution) -> WholeVerdict:
        if solution.id == "right-1":
            raise ContextExceeded("the prompt is too long")
        if self.down:
            raise ModelError("the server is gone")
        self.judged.append(solution.id)
        return WholeVerdict(1, (1,))


def test_a_run_keeps_every_vote(tmp_path: Path) -> None:
    summary = asyncio.run(run(ROWS, judge_of(), tmp_path))
    assert summary.average_f1 == 100.0
    assert summary.majority["4"] is not None
    assert summary.pass_at_1 is not None
    assert summary.majority["4"].average_f1 == 100.0
    assert summary.pass_at_1.spread == 0.0
    found = read_run(tmp_path)
    assert found.rows == tuple(ROWS)
    assert found.predictions == {"wrong-1": 1, "right-1": -1}
    assert [len(step) for step in found.judgements["wrong-1"].rewards] == [4, 4, 4]
    assert next(found.stored_rows()).steps[0].votes[0].analysis == "I looked."
    text = (tmp_path / "summary.json").read_text()
    assert Summary.model_validate_json(text) == summary
    assert "pass_at_1" in json.loads(text)
    assert json.loads((tmp_path / "environment.json").read_text())[0]["packages"]["genprm"]


def test_a_finished_run_asks_nothing_again(tmp_path: Path) -> None:
    first = asyncio.run(run(ROWS, judge_of(), tmp_path))
    silent = judge_of()
    assert isinstance(silent._judge, Verifier)
    model = silent._judge.model
    assert isinstance(model, Scripted)
    assert asyncio.run(run(ROWS, silent, tmp_path)) == first
    assert model.asked == []


def test_other_settings_or_rows_are_refused(tmp_path: Path) -> None:
    asyncio.run(run(ROWS, judge_of(4), tmp_path))
    with pytest.raises(JournalError, match="votes"):
        asyncio.run(run(ROWS, judge_of(8), tmp_path))
    with pytest.raises(JournalError, match="input"):
        asyncio.run(run(ROWS[:1], judge_of(4), tmp_path))


def test_a_dead_server_ends_the_run_and_an_impossible_row_is_a_miss(tmp_path: Path) -> None:
    with pytest.raises(ModelError):
        asyncio.run(run(ROWS, Flaky(down=True), tmp_path, concurrency=1))
    judge = Flaky(down=False)
    summary = asyncio.run(run(ROWS, judge, tmp_path))
    assert judge.judged == ["wrong-1"]
    assert summary.subsets["s"].correct_accuracy == 0.0
    assert summary.failed == {"right-1": "the prompt is too long"}
    assert summary.abstained_ids == ("right-1",)


def test_a_constant_scores_what_it_must(tmp_path: Path) -> None:
    summary = asyncio.run(run(ROWS, Constant(-1), tmp_path))
    subset = summary.subsets["s"]
    assert (subset.error_accuracy, subset.correct_accuracy, subset.f1) == (0.0, 100.0, 0.0)


def test_a_folder_that_is_no_run_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no run"):
        read_run(tmp_path)
