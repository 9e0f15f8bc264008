"""The default judge: code first, the model only on text like its own."""

import asyncio

from scripted import Scripted

from genprm.compose import DEFAULT, JudgeChoice, ModelChoice, open_judge
from genprm.problem import Solution
from genprm.sandboxes.load import load_sandbox
from genprm.verdict import Flag, SolutionVerdict
from genprm.verify.code_first import CodeFirst
from genprm.verify.code_judge import ALL_HOLD, CodeJudge
from genprm.verify.domain import Domain, word_pairs
from genprm.verify.settings import Settings
from genprm.verify.verifier import Verifier


def judged(problem: str, *steps: str) -> SolutionVerdict:
    async def run() -> SolutionVerdict:
        async with open_judge(JudgeChoice(ModelChoice(DEFAULT)), Settings()) as judge:
            return await judge.verify(Solution(problem, steps))

    return asyncio.run(run())


def test_a_typed_problem_is_judged_by_code_alone() -> None:
    verdict = judged("What is 2 + 3 * 4?", "3*4=12", "2+12=14")
    assert verdict.first_error == -1
    assert verdict.usage.tokens_out == 0
    assert verdict.steps[0].votes[0].runs[0].output == "True"


def test_a_wrong_order_of_operations_is_found() -> None:
    verdict = judged("What is 2 + 3 * 4?", "2+3=5", "5*4=20")
    assert verdict.first_error == 0
    assert verdict.steps[0].reward == 0


def test_what_code_cannot_check_is_flagged_and_never_sure() -> None:
    (step,) = judged("How do you feel?", "I feel fine.").steps
    assert step.votes[0].flags == (Flag.UNCHECKED,)
    assert step.reward is not None
    assert step.reward < 0.9


def test_the_model_is_asked_about_text_like_its_own() -> None:
    problem = (
        "Mia has 12 pens. Tom has 5 more pens than Mia. How many pens do Mia and Tom have in total?"
    )
    verdict = judged(problem, "Tom has 12 + 5 = 17 pens.", "The total is 12 + 17 = 28.")
    assert verdict.first_error == 1
    assert verdict.steps[0].screening is not None
    assert verdict.steps[0].screening.model is None  # code alone
    assert verdict.steps[0].model is not None
    assert (verdict.steps[0].model.engine, verdict.steps[1].model) == ("openvino", None)
    assert verdict.steps[0].usage.tokens_out > 0


def test_where_the_model_abstains_the_code_s_verdict_stands() -> None:
    problem, steps = "What is 2 + 3?", ("2 + 3 = 5", "So it is 5.")
    silent = Scripted(lambda prompt, seed: "no turn of the wire format", lambda prompt: {})
    domain = Domain(pair for text in (problem, *steps) for pair in word_pairs(text))

    async def run() -> SolutionVerdict:
        async with load_sandbox("auto") as sandbox:
            judge = CodeFirst(CodeJudge(sandbox), Verifier(silent, sandbox, Settings()), domain)
            return await judge.verify(Solution(problem, steps))

    verdict = asyncio.run(run())
    assert silent.asked
    assert verdict.first_error == -1
    assert verdict.steps[0].reward == ALL_HOLD
    assert verdict.steps[0].screening is not None
    assert verdict.steps[0].screening.reward is None


def test_nearness_is_the_share_of_known_pairs() -> None:
    domain = Domain(word_pairs("Tom has 12 pens."))
    assert domain.nearness(["Tom has 7 pens."]) == 1
    assert domain.nearness(["A cat eats fish."]) < 0.5
