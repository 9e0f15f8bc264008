"""The cascade's rule on stored verdicts, its fit, and the driver with two scripted judges."""

import asyncio
import json
import re
from collections.abc import Callable
from math import log

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scripted import Scripted

from genprm.problem import Solution
from genprm.records.verdicts import VerdictRow
from genprm.verdict import SolutionVerdict, StepVerdict, Usage, Vote
from genprm.verify.cascade import ALWAYS, Band, Cascade, JudgedTwice, fit, outcome
from genprm.verify.format import Mode
from genprm.verify.settings import Settings
from genprm.verify.verifier import Verifier


def verdict(rewards: list[float | None], tokens: int) -> SolutionVerdict:
    return SolutionVerdict(
        "",
        tuple(StepVerdict((Vote(r, "", usage=Usage(tokens_out=tokens)),), 1) for r in rewards),
    )


def pair(cheap: list[float | None], strong: list[float | None]) -> JudgedTwice:
    return JudgedTwice(verdict(cheap, 1), verdict(strong, 100))


def test_only_unsure_steps_go_to_the_strong_judge() -> None:
    found = outcome(pair([0.99, 0.6, 0.01], [0.9, 0.9, 0.9]), Band(0.1, 0.9))
    assert (found.first_error, found.steps, found.asked) == (2, 3, 1)
    assert (found.cheap.tokens_out, found.strong.tokens_out) == (3, 100)


def test_playing_stops_at_the_first_wrong_step() -> None:
    found = outcome(pair([0.5, 0.5], [0.1, 0.9]), Band(0.1, 0.9))
    assert (found.first_error, found.steps, found.asked) == (0, 1, 1)


def test_an_abstention_of_the_cheap_judge_asks_and_of_the_strong_one_decides_nothing() -> None:
    assert outcome(pair([None], [0.9]), Band(0.4, 0.6)).first_error == -1
    assert outcome(pair([None], [None]), Band(0.4, 0.6)).first_error is None


reward = st.floats(0, 1)
pairs = st.lists(
    st.lists(st.tuples(reward, reward), min_size=1, max_size=4).map(
        lambda steps: pair([a for a, _ in steps], [b for _, b in steps])
    ),
    min_size=1,
    max_size=6,
)


@settings(max_examples=40, deadline=None)
@given(pairs)
def test_a_fit_keeps_to_the_strong_judge_on_its_own_data(data: list[JudgedTwice]) -> None:
    band = fit(data, disagreement=0.0)
    assert [outcome(p, band).first_error for p in data] == [p.strong.first_error for p in data]
    spent = sum(outcome(p, band).strong.tokens_out for p in data)
    assert spent <= sum(outcome(p, ALWAYS).strong.tokens_out for p in data)


def test_a_cheap_judge_that_is_right_when_sure_is_trusted_when_sure() -> None:
    data = [pair([0.99], [0.9]), pair([0.98], [0.8]), pair([0.02], [0.1]), pair([0.6], [0.2])]
    band = fit(data, disagreement=0.0)
    assert 0.6 < band.high <= 0.98
    assert sum(outcome(p, band).asked for p in data) == 1


def judge(column: int) -> Callable[[str], dict[str, float]]:
    """A step ends in the rewards that the cheap and the strong judge give it."""

    def read(prompt: str) -> dict[str, float]:
        step = re.findall(r"(0\.\d+) (0\.\d+)", prompt)[-1]
        value = float(step[column])
        return {"Yes": log(value), "No": log(1 - value)}

    return read


def cascade(mode: Mode) -> tuple[Cascade, Scripted, Scripted]:
    cheap = Scripted(lambda prompt, seed: "cheap\n</analyze>\n", judge(0))
    strong = Scripted(lambda prompt, seed: "strong\n</analyze>\n", judge(1))
    cheap.name, strong.name = "cheap", "strong"
    box = None
    first = Verifier(cheap, box, Settings(mode=mode))  # type: ignore[arg-type]
    second = Verifier(strong, box, Settings(mode=Mode.COT, votes=3))  # type: ignore[arg-type]
    return Cascade(first, second, Band(0.2, 0.8)), cheap, strong


def test_the_driver_asks_the_strong_judge_where_the_cheap_one_is_unsure() -> None:
    both, _, strong = cascade(Mode.DIRECT)
    steps = ("a 0.9 0.1", "b 0.5 0.95", "c 0.1 0.9")
    found = asyncio.run(both.verify(Solution("?", steps)))
    assert [step.reward for step in found.steps] == pytest.approx([0.9, 0.95, 0.1])
    assert [step.screening is not None for step in found.steps] == [False, True, False]
    assert [len(step.votes) for step in found.steps] == [1, 3, 1]
    assert len(strong.asked) == 3
    assert found.usage.tokens_out == sum(step.usage.tokens_out for step in found.steps)
    asked = found.steps[1]
    assert asked.screening is not None
    assert asked.usage.tokens_out > asked.screening.usage.tokens_out > 0


def test_turns_of_the_same_kind_are_shared_and_others_left_empty() -> None:
    steps = ("a 0.9 0.1", "b 0.5 0.95")
    both, _, strong = cascade(Mode.DIRECT)
    asyncio.run(both.verify(Solution("?", steps)))
    assert "<assistant><user>b" in strong.asked[0][0]
    both, _, strong = cascade(Mode.COT)
    asyncio.run(both.verify(Solution("?", steps)))
    assert "cheap\n</analyze>" in strong.asked[0][0].split("<user>b", maxsplit=1)[0]


def test_a_row_keeps_the_screening() -> None:
    both, _, _ = cascade(Mode.DIRECT)
    solution = Solution("?", ("b 0.5 0.95",))
    found = asyncio.run(both.verify(solution))
    again = VerdictRow.parse(VerdictRow.of(0, solution, found).line()).verdict()
    assert again.steps == found.steps


def test_a_row_says_which_model_cast_which_votes_and_a_row_without_that_still_reads() -> None:
    both, cheap, strong = cascade(Mode.DIRECT)
    solution = Solution("?", ("a 0.9 0.1", "b 0.5 0.95"))
    line = VerdictRow.of(0, solution, asyncio.run(both.verify(solution))).line()
    first, second = VerdictRow.parse(line).steps
    assert (first.model, second.model) == (cheap.identity, strong.identity)
    assert second.screening is not None
    assert second.screening.model == cheap.identity
    old = json.loads(line)
    for step in old["steps"]:
        del step["model"]
    del old["steps"][1]["screening"]["model"]
    read = VerdictRow.parse(json.dumps(old))
    assert [step.model for step in read.steps] == [None, None]
    assert json.loads(read.line()) == old
