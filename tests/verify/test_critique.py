"""Whole-solution critique: one pass over the steps, the first error that the votes name, refine."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest
from scripted import Scripted

from genprm.compose import JudgeChoice, ModelChoice, open_judge
from genprm.errors import InputError
from genprm.policy import Sample
from genprm.pools import Pool
from genprm.problem import Problem, Solution
from genprm.records.verdicts import VerdictRow
from genprm.sandboxes.inprocess import InProcess
from genprm.scale.best_of_n import judge_all
from genprm.scale.refine import critique
from genprm.verdict import Flag, SolutionVerdict
from genprm.verify.aggregate import Aggregate
from genprm.verify.casting import vote_seed
from genprm.verify.critique_format import REVIEW, named_index, sections
from genprm.verify.format import Mode
from genprm.verify.settings import Settings
from genprm.verify.turn import Limits
from genprm.verify.verifier import Verifier
from genprm.verify.voting import Adaptive

SOLUTION = Solution("1 + 1 + 1?", ("1 + 1 = 2.", "2 + 1 = 4.", "So 4."), "three")
SETTINGS = Settings(mode=Mode.CRITIQUE)


def nobody(prompt: str) -> dict[str, float]:
    raise AssertionError("a critique is written, its labels are not read from probabilities")


def critic(say: Callable[[str, int], str]) -> Scripted:
    return Scripted(say, nobody)


def judge(model: Scripted, settings: Settings = SETTINGS) -> SolutionVerdict:
    return asyncio.run(Verifier(model, InProcess(), settings).verify(SOLUTION))


def naming(*indices: int) -> Scripted:
    """Vote n names the n-th index."""
    by_seed = {vote_seed(0, 0, 0, vote): index for vote, index in enumerate(indices)}
    return critic(
        lambda prompt, seed: (
            f"### Paragraph 0\nFine.\n### Paragraph 1\nSays {seed}.\n\\boxed{{{by_seed[seed]}}}"
        )
    )


def test_one_pass_over_numbered_paragraphs_names_the_first_error() -> None:
    model = naming(1)
    verdict = judge(model)
    assert verdict.first_error == 1
    assert [step.reward for step in verdict.steps] == [1.0, 0.0, 0.0]
    ((prompt, _),) = model.asked
    assert "<paragraph_0>\n1 + 1 = 2.\n</paragraph_0>\n\n<paragraph_1>" in prompt
    assert prompt.endswith("in \\boxed{}.<assistant>")
    assert REVIEW in prompt
    assert [step.usage.tokens_in for step in verdict.steps] == [len(prompt), 0, 0]


@pytest.mark.parametrize(
    ("named", "first_error"),
    [((1, 1, -1), 1), ((-1, 2, 0), 2), ((-1, -1, 0), -1), ((0, 2), 2), ((1, 1, 1, 0, -1), 1)],
)
def test_votes_agree_on_the_median_of_what_they_name(
    named: tuple[int, ...], first_error: int
) -> None:
    verdict = judge(naming(*named), replace(SETTINGS, votes=len(named)))
    assert verdict.first_error == first_error
    assert verdict.steps[0].rewards == tuple(float(index != 0) for index in named)


def test_code_is_run_and_the_review_goes_on_after_its_output() -> None:
    def say(prompt: str, seed: int) -> str:
        if "[Code Output]\n\n```\nFalse \\boxed{0}\n```\n" in prompt:
            return "So it is wrong.\n\\boxed{1}"
        return "### Paragraph 1\n```python\nprint(2 + 1 == 4, r'\\boxed{0}')\n```\n"

    (vote, *_), *_ = (step.votes for step in judge(critic(say)).steps)
    assert [run.output for run in vote.runs] == ["False \\boxed{0}"]
    assert vote.usage.executions == 1
    assert vote.text.endswith("\\boxed{1}")


def test_a_box_that_only_code_printed_is_no_answer() -> None:
    def say(prompt: str, seed: int) -> str:
        if prompt.endswith("earliest error occurs: \\boxed{"):
            return "2} as I said"
        if "[Code Output]" in prompt:
            return "Done."
        return "```python\nprint(r'\\boxed{0}')\n```\n"

    verdict = judge(critic(say))
    assert verdict.first_error == 2
    assert Flag.UNCLOSED in verdict.steps[0].votes[0].flags


@pytest.mark.parametrize("answer", ["\\boxed{30}", "\\boxed{3}", "\\boxed{-2}", "\\boxed{none}"])
def test_a_review_that_names_no_paragraph_abstains(answer: str) -> None:
    verdict = judge(critic(lambda prompt, seed: answer))
    assert verdict.first_error is None
    assert {vote.abstained for step in verdict.steps for vote in step.votes} == {Flag.UNREADABLE}


def test_a_thought_is_bounded_apart_and_its_code_is_not_run() -> None:
    def say(prompt: str, seed: int) -> str:
        if prompt.endswith("<assistant>"):
            return "<think>"
        if prompt.endswith("<think>"):
            return "```python\nprint(1)\n```\n\\boxed{0}</think>"
        return "\\boxed{-1}"

    verdict = judge(critic(say), replace(SETTINGS, limits=Limits(tokens=50)))
    vote = verdict.steps[0].votes[0]
    assert verdict.first_error == -1
    assert vote.runs == ()
    assert vote.text.startswith("<think>```python")


def test_asking_stops_when_no_vote_can_change_a_label() -> None:
    exact = replace(SETTINGS, votes=5, adaptive=Adaptive.EXACT)
    assert len(judge(naming(1, 1, 1, 0, 0), exact).steps[0].votes) == 3
    assert len(judge(naming(0, 1, 1, 0, 1), exact).steps[0].votes) == 5


def test_a_solution_that_grows_is_reviewed_again_and_a_copy_is_not() -> None:
    model = critic(lambda prompt, seed: f"\\boxed{{{1 if '4.' in prompt else -1}}}")

    async def grow() -> list[bool | None]:
        history = Verifier(model, InProcess(), SETTINGS).begin()
        labels = []
        for end in (1, 2):
            verdict = await history.judge_next(replace(SOLUTION, steps=SOLUTION.steps[:end]))
            labels.append(verdict.label)
        for one in (history, await history.copy()):
            labels.append((await one.judge_next(SOLUTION)).label)
        return labels

    assert asyncio.run(grow()) == [True, False, False, False]
    assert len(model.asked) == 4  # the copy was made before the whole solution had been reviewed


def test_ranking_reviews_each_candidate_once() -> None:
    model = critic(lambda prompt, seed: f"\\boxed{{{1 if '= 4' in prompt else -1}}}")
    samples = tuple(Sample("p", ("a", step, "So."), True, 0) for step in ("x = 4", "x = 3"))
    pool = Pool(Problem("p", "p"), samples)
    candidates = asyncio.run(judge_all(Verifier(model, InProcess(), SETTINGS), pool, row=0))
    assert [one.score(Aggregate.MIN) for one in candidates] == [0.0, 1.0]
    assert len(model.asked) == 2


def test_refinement_gets_what_was_said_of_the_wrong_step_and_rows_read_back() -> None:
    verdict = judge(naming(0, 1, 1, 2, 2), replace(SETTINGS, votes=5))
    assert verdict.first_error == 1
    said = critique(verdict, 1)
    assert said.startswith(f"Says {vote_seed(0, 0, 0, 1)}.")
    row = VerdictRow.of(0, SOLUTION, verdict)
    assert VerdictRow.parse(row.line()).verdict() == verdict


def test_without_headings_the_whole_review_is_the_analysis() -> None:
    verdict = judge(critic(lambda prompt, seed: "Two and one are three. \\boxed{1}"))
    assert critique(verdict, 1) == "Two and one are three. \\boxed{1}"


def test_sections_are_found_under_headings_of_any_look() -> None:
    text = "Intro.\n### Paragraph 0\na\n**Paragraph 1:** b\nParagraph_2: c\n### Paragraph 0\nd"
    assert sections(text) == {0: "a\n\nd", 1: "b", 2: "c"}
    assert named_index("\\boxed{0} then \\boxed{ 2 }", 3) == 2


def test_the_shipped_model_is_refused() -> None:
    async def begin() -> None:
        async with open_judge(JudgeChoice(ModelChoice("arithmetic")), SETTINGS):
            pass

    with pytest.raises(InputError, match="fix: name another --model"):
        asyncio.run(begin())
