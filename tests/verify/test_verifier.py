"""The driver: concurrency, shared history, private namespaces, seeds, abstentions."""

import asyncio
import re
from collections.abc import Callable
from dataclasses import replace
from math import log

import pytest
from scripted import Scripted

from genprm.errors import ModelError, SandboxError
from genprm.problem import Solution
from genprm.sandboxes.fork_server import ForkServer
from genprm.verdict import Flag, SolutionVerdict
from genprm.verify.casting import vote_seed
from genprm.verify.format import Mode
from genprm.verify.settings import Settings
from genprm.verify.verifier import Verifier
from genprm.verify.voting import Adaptive

YES, NO = {"Yes": log(0.99), "No": log(0.01)}, {"Yes": log(0.01), "No": log(0.99)}
COT = Settings(mode=Mode.COT)
PAIR = Solution("1 + 1?", ("1 + 1 = 2.", "So 3."), "pair")


class NoSandbox:
    """For modes that run nothing."""

    def session(self) -> object:
        raise SandboxError("a session was asked for")


def verify(
    model: Scripted, solution: Solution, settings: Settings, *, box: object = None
) -> SolutionVerdict:
    async def run() -> SolutionVerdict:
        if box is not None:
            return await Verifier(model, box, settings).verify(solution)  # type: ignore[arg-type]
        async with ForkServer() as sandbox:
            return await Verifier(model, sandbox, settings).verify(solution)

    return asyncio.run(run())


def analyst(judge: Callable[[str], dict[str, float]]) -> Scripted:
    return Scripted(lambda prompt, seed: f"Seed {seed} says.\n</analyze>\n", judge)


def judge_by_step(*answers: dict[str, float]) -> Callable[[str], dict[str, float]]:
    """The answer for step t, whatever was written."""
    return lambda prompt: answers[prompt.count("<user>") - 1]


def test_the_first_wrong_step_is_named() -> None:
    verdict = verify(analyst(judge_by_step(YES, NO)), PAIR, COT, box=NoSandbox())
    assert verdict.id == "pair"
    assert verdict.first_error == 1
    assert [step.label for step in verdict.steps] == [True, False]
    assert [step.reward for step in verdict.steps] == pytest.approx([0.99, 0.01])


def test_no_wrong_step_is_minus_one() -> None:
    assert verify(analyst(lambda _: YES), PAIR, COT, box=NoSandbox()).first_error == -1


def test_judging_may_stop_at_the_first_error() -> None:
    settings = replace(COT, stop_at_first_error=True)
    verdict = verify(analyst(lambda _: NO), PAIR, settings, box=NoSandbox())
    assert len(verdict.steps) == 1


def test_a_step_of_abstentions_has_no_label_and_hides_the_first_error() -> None:
    verdict = verify(analyst(judge_by_step({}, NO)), PAIR, COT, box=NoSandbox())
    assert [step.label for step in verdict.steps] == [None, False]
    assert verdict.steps[0].reward is None
    assert verdict.steps[0].votes[0].flags == (Flag.UNREADABLE,)
    assert verdict.first_error is None


def test_an_abstention_after_the_first_error_hides_nothing() -> None:
    verdict = verify(analyst(judge_by_step(NO, {})), PAIR, COT, box=NoSandbox())
    assert verdict.first_error == 0


def test_votes_share_one_history_that_agrees_with_the_majority() -> None:
    """Vote 0 of step 1 is outvoted: a later vote's turn is kept, and all votes build on it."""
    seeds = [vote_seed(0, 0, 0, vote) for vote in range(3)]

    def judge(prompt: str) -> dict[str, float]:
        return NO if f"Seed {seeds[0]} says" in prompt else YES

    model = analyst(judge)
    verdict = verify(model, PAIR, replace(COT, votes=3), box=NoSandbox())
    assert [vote.label for vote in verdict.steps[0].votes] == [False, True, True]
    second = {prompt for prompt, _ in model.asked if "So 3." in prompt}
    assert len(second) == 1
    assert f"Seed {seeds[1]} says" in second.pop()


def test_seeds_depend_on_run_row_step_and_vote_alone() -> None:
    first, second = analyst(lambda _: YES), analyst(lambda _: YES)
    verify(first, PAIR, replace(COT, votes=4, seed=7), box=NoSandbox())
    verify(second, PAIR, replace(COT, votes=4, seed=7), box=NoSandbox())
    assert first.asked == second.asked
    seeds = {vote_seed(*key) for key in [(7, 0, 0, 0), (8, 0, 0, 0), (7, 1, 0, 0), (7, 0, 1, 0)]}
    assert len(seeds) == 4


def test_votes_on_a_step_run_at_the_same_time() -> None:
    model = analyst(lambda _: YES)
    verify(model, PAIR, replace(COT, votes=8), box=NoSandbox())
    assert model.most_running == 8


def test_solutions_run_at_the_same_time_and_no_more_than_asked() -> None:
    model = analyst(lambda _: YES)

    async def run() -> set[int]:
        verifier = Verifier(model, NoSandbox(), replace(COT, votes=2))  # type: ignore[arg-type]
        pairs = ((row, PAIR) for row in range(20))
        return {row async for row, _ in verifier.verify_many(pairs, concurrency=5)}

    assert asyncio.run(run()) == set(range(20))
    assert model.most_running == 10


def test_exact_voting_gives_the_label_and_history_of_all_votes_and_asks_for_fewer() -> None:
    settings = replace(COT, votes=8)
    whole, early = analyst(judge_by_step(YES, NO)), analyst(judge_by_step(YES, NO))
    full = verify(whole, PAIR, settings, box=NoSandbox())
    exact = verify(early, PAIR, replace(settings, adaptive=Adaptive.EXACT), box=NoSandbox())
    assert [step.label for step in exact.steps] == [step.label for step in full.steps]
    assert [len(step.votes) for step in exact.steps] == [5, 5]
    assert [step.wanted for step in exact.steps] == [8, 8]
    assert {prompt for prompt, _ in early.asked} == {prompt for prompt, _ in whole.asked}


def test_a_failing_engine_ends_the_run_and_cancels_the_other_votes() -> None:
    def say(prompt: str, seed: int) -> str:
        if seed == vote_seed(0, 0, 0, 0):
            raise ModelError("the server is gone")
        return "never"

    class Waits(Scripted):
        async def complete(self, prompt, **options):  # type: ignore[no-untyped-def]
            try:
                if options["seed"] != vote_seed(0, 0, 0, 0):
                    await asyncio.Event().wait()
            except asyncio.CancelledError:
                self.cancelled += 1
                raise
            return await super().complete(prompt, **options)

    model = Waits(say, lambda _: YES)
    with pytest.raises(ModelError, match="the server is gone"):
        verify(model, PAIR, replace(COT, votes=4), box=NoSandbox())
    assert model.cancelled == 3


def coder(code: Callable[[str, int], str]) -> Scripted:
    """Writes one block a vote; judges Yes if its output says True."""

    def say(prompt: str, seed: int) -> str:
        return (
            "Right.\n</verify>\n"
            if prompt.endswith("```\n") and "[Code Output]" in (prompt.rpartition("<verify>")[2])
            else f"{code(prompt, seed)}\n```\n"
        )

    def judge(prompt: str) -> dict[str, float]:
        return YES if "True" in prompt.rpartition("[Code Output]")[2] else NO

    return Scripted(say, judge)


def test_the_namespace_lives_from_step_to_step() -> None:
    def code(prompt: str, _: int) -> str:
        return "total = 1 + 1\nprint(total == 2)" if "So 3." not in prompt else "print(total == 3)"

    verdict = verify(coder(code), PAIR, Settings(mode=Mode.CODE))
    assert [step.votes[0].runs[0].output for step in verdict.steps] == ["True", "False"]
    assert verdict.first_error == 1
    assert verdict.usage.executions == 2


def test_no_vote_sees_the_variables_of_another() -> None:
    def code(prompt: str, seed: int) -> str:
        if "So 3." in prompt:
            return "print(len(seen) == 1, seen)"
        return f"seen = globals().get('seen', []) + [{seed}]\nprint(len(seen) == 1)"

    verdict = verify(coder(code), PAIR, Settings(mode=Mode.CODE, votes=4))
    assert [step.reward for step in verdict.steps] == pytest.approx([0.99, 0.99])
    kept = {re.sub(r"\D", "", vote.runs[0].output) for vote in verdict.steps[1].votes}
    assert kept == {str(vote_seed(0, 0, 0, 0))}


def test_code_that_hangs_costs_its_vote_and_nothing_else() -> None:
    def code(prompt: str, seed: int) -> str:
        return "while True: pass" if seed == vote_seed(0, 0, 0, 1) else "print(True)"

    settings = Settings(mode=Mode.CODE, votes=2, code_timeout=0.5)
    verdict = verify(coder(code), Solution("p", ("a",)), settings)
    assert [vote.runs[0].status for vote in verdict.steps[0].votes] == ["ok", "timeout"]
    assert [vote.label for vote in verdict.steps[0].votes] == [True, False]
