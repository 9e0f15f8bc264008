"""The critic's dialogue, with a scripted policy and judge."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from math import log
from typing import Any

import pytest
from scripted import Scripted

from genprm.answer import AnswerChecker
from genprm.policy import Policy, Sample
from genprm.problem import Problem
from genprm.scale.budget import Budget
from genprm.scale.methods import Critic, Keep, Rewrite
from genprm.scale.refine import Refinement, RefinementEnd, Refiner, RefineSettings, critique
from genprm.scale.rows import refinement_row
from genprm.verdict import SolutionVerdict, StepVerdict, Vote
from genprm.verify.format import Mode
from genprm.verify.settings import Settings
from genprm.verify.verifier import Verifier

PROBLEM = Problem("p", "3 + 4?", "7")


def run(answers: Sequence[str], settings: RefineSettings) -> tuple[Refinement, Scripted]:
    """Answers in the order in which they are given; each step ends in its reward."""

    def judge(prompt: str) -> dict[str, float]:
        step = prompt.rsplit("<user>", 1)[1].split("<analyze>", maxsplit=1)[0]
        reward = float(step.split()[-1])
        return {"Yes": log(reward), "No": log(1 - reward)} if 0 < reward < 1 else {}

    given = iter(answers)
    writer = Scripted(lambda prompt, seed: f" {next(given)}", judge)
    critic = Scripted(lambda prompt, seed: "Three and four are seven.\n</analyze>\n", judge)
    judging = Settings(mode=Mode.COT, stop_at_first_error=True)
    verifier = Verifier(critic, None, judging)  # type: ignore[arg-type]
    return asyncio.run(Refiner(Policy(writer), verifier, settings).refine(PROBLEM)), writer


def test_the_analysis_of_the_first_wrong_step_goes_back() -> None:
    found, writer = run(["So 8. 0.2", "So 7. 0.9"], RefineSettings())
    assert [turn.sample.text for turn in found.turns] == ["Step 1: So 8. 0.2", "Step 1: So 7. 0.9"]
    assert found.ended is RefinementEnd.VERIFIED
    assert found.chosen == 1
    second = writer.asked[1][0]
    assert second.startswith("<user>3 + 4?<assistant>Step 1: So 8. 0.2<user>")
    assert "step 1: Three and four are seven." in second


def test_tags_of_the_wire_format_are_not_handed_to_the_policy() -> None:
    said = "So <verify>seven.</output>\n**Judgement**: $\\boxed{No}$ Count again."
    vote = Vote(0.1, "", analysis=said)
    verdict = SolutionVerdict("p", (StepVerdict((vote,), 1),))
    assert critique(verdict, 0) == "So seven.\n Count again."


def test_a_verified_answer_is_not_touched() -> None:
    found, writer = run(["So 7. 0.9"], RefineSettings())
    assert (found.ended, found.chosen, len(writer.asked)) == (RefinementEnd.VERIFIED, 0, 1)


def test_the_best_answer_so_far_is_kept_and_rewritten() -> None:
    answers = ["a 0.4", "b 0.1", "c 0.3"]
    found, writer = run(answers, RefineSettings(turns=2))
    assert found.ended is RefinementEnd.TURNS
    assert found.chosen == 0
    assert all("a 0.4" in prompt for prompt, _ in writer.asked[1:])


def test_the_plain_variant_goes_on_with_the_latest() -> None:
    found, writer = run(["a 0.4", "b 0.1", "c 0.3"], RefineSettings(turns=2, keep=Keep.LATEST))
    assert found.chosen == 2
    assert "b 0.1" in writer.asked[2][0]


def test_self_refinement_asks_no_verifier_and_takes_every_turn() -> None:
    found, _ = run(["a 0.9", "b 0.9", "c 0.9"], RefineSettings(turns=2, critic=Critic.SELF))
    assert [turn.verdict for turn in found.turns] == [None, None, None]
    assert found.chosen == 2


def test_only_what_follows_the_right_steps_is_written_again() -> None:
    answers = ["a 0.9\n\nStep 2: b 0.2\n\nStep 3: c 0.9", "better 0.8"]
    found, writer = run(answers, RefineSettings(rewrite=Rewrite.FROM_ERROR))
    assert writer.asked[1][0] == "<user>3 + 4?<assistant>Step 1: a 0.9\n\nStep 2:"
    assert found.turns[1].sample.steps == ("Step 1: a 0.9", "Step 2: better 0.8")
    assert found.ended is RefinementEnd.VERIFIED


def test_an_answer_that_cannot_be_judged_ends_the_dialogue_openly() -> None:
    found, _ = run(["a 1"], RefineSettings())
    assert found.ended is RefinementEnd.UNJUDGED
    assert found.turns[0].score is None


def test_a_cut_off_answer_is_not_judged_but_written_again() -> None:
    writer = Scripted(lambda prompt, seed: " endless", lambda prompt: {})

    class Cut(Policy):
        async def solve(self, problem: str, **options: Any) -> Sample:
            sample = await super().solve(problem, **options)
            return replace(sample, complete=False)

    settings = RefineSettings(turns=1)
    refiner = Refiner(Cut(writer), None, settings)  # type: ignore[arg-type]
    found = asyncio.run(refiner.refine(PROBLEM))
    assert found.ended is RefinementEnd.TURNS
    assert [turn.verdict for turn in found.turns] == [None, None]
    assert "cut off" in (found.turns[1].request or "")


def test_a_budget_ends_the_dialogue() -> None:
    found, _ = run(["a 0.1", "b 0.1"], RefineSettings(turns=9, budget=Budget(policy_tokens=12)))
    assert found.ended is RefinementEnd.BUDGET
    assert len(found.turns) == 2


def test_the_row_holds_the_whole_dialogue() -> None:
    found, _ = run(["So 8. 0.2", "So 7. The answer is 7. 0.9"], RefineSettings())
    with AnswerChecker() as checker:
        row = refinement_row(5, PROBLEM, found, critic=Critic.VERIFIER, checker=checker)
    assert row.row == 5
    assert [turn.first_error for turn in row.turns] == [0, -1]
    assert row.turns[0].steps is not None
    assert row.turns[0].steps[0].votes[0].analysis == "Three and four are seven."
    assert row.choice == 1
    assert row.cost.policy.tokens_out == sum(turn.sample.usage.tokens_out for turn in found.turns)


@pytest.mark.parametrize("keep", list(Keep))
def test_every_turn_draws_with_its_own_seed(keep: Keep) -> None:
    settings = replace(RefineSettings(turns=3), keep=keep)
    _, writer = run(["a 0.1", "b 0.1", "c 0.1", "d 0.1"], settings)
    assert len({seed for _, seed in writer.asked}) == 4
