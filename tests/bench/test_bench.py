"""What `genprm bench` compares; its figures need a real engine and a quiet machine."""

import asyncio
from pathlib import Path

import pytest
from scripted import Scripted

from genprm.bench import run as bench
from genprm.bench.figure import bench_figure
from genprm.bench.meters import ROW, MeteredModel, replay
from genprm.cli.terminal.bench import report_table
from genprm.errors import ContextExceeded
from genprm.problem import Solution
from genprm.sandboxes.inprocess import InProcess
from genprm.verdict import StepVerdict
from genprm.verify.format import Mode
from genprm.verify.settings import Settings
from genprm.verify.verifier import Verifier

SOLUTIONS = [Solution("p", ("one", "two")), Solution("q", ("three",))]
SETTINGS = Settings(mode=Mode.COT, votes=3)


def model() -> Scripted:
    return Scripted(lambda prompt, seed: f"{seed}</analyze>\n", lambda prompt: {"Yes": -0.1})


def test_the_engine_alone_gets_the_same_requests_step_by_step() -> None:
    async def both() -> tuple[Scripted, Scripted, int, int]:
        judged, alone = model(), model()
        metered = MeteredModel(judged)

        def on_step(row: int, _: StepVerdict) -> None:
            metered.next_step(row)

        for row, solution in enumerate(SOLUTIONS):
            ROW.set(row)
            verifier = Verifier(metered, InProcess(), SETTINGS)
            await verifier.verify(solution, row=row, on_step=on_step)
        tokens = sum([await replay(alone, steps) for steps in metered.steps.values()])
        return judged, alone, metered.tokens_out, tokens

    judged, alone, judged_tokens, alone_tokens = asyncio.run(both())
    assert alone.asked == judged.asked
    assert alone_tokens == judged_tokens
    assert judged.most_running == alone.most_running == 3


def test_what_the_engine_refuses_is_not_asked_again() -> None:
    """A prompt longer than the context costs a vote, as in any run; it must not end the bench."""

    def say(prompt: str, seed: int) -> str:
        if "three" in prompt:
            raise ContextExceeded("a prompt of 9 tokens in a context of 8")
        return f"{seed}</analyze>\n"

    short = Scripted(say, lambda prompt: {"Yes": -0.1})

    async def judge() -> tuple[int, int]:
        metered = MeteredModel(short)
        verifier = Verifier(metered, InProcess(), SETTINGS)
        for row, solution in enumerate(SOLUTIONS):
            ROW.set(row)
            await verifier.verify(solution, row=row)
        return metered.tokens_out, sum([await replay(short, s) for s in metered.steps.values()])

    judged, alone = asyncio.run(judge())
    assert judged == alone > 0


def test_a_report_says_everything_that_was_measured(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(bench, "_seconds", lambda command: 0.2)
    work = bench.Workload(SOLUTIONS, 1, 2, SETTINGS)
    report = asyncio.run(bench.measure(model(), model(), InProcess(), work, "scripted"))
    assert report.help_seconds == bench.Spread(0.2, 0.2, 0.2)
    assert report.share_of_engine.median > 0
    assert (report.solutions, report.votes, report.reference_solutions) == (2, 3, 1)
    text = report_table(report)
    assert "share of the engine's own limit" in text
    assert "2 solutions × 3 votes" in text
    bench_figure(report, tmp_path / "rates.svg")
    assert "</svg>" in (tmp_path / "rates.svg").read_text("utf-8")
