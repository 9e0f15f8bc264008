"""A mode of your own: a vote counts only if its code ran.

    python examples/custom_mode.py

A vote whose code always failed rests on the analysis alone, and the stock modes let it count. Here
it abstains. The protocol of a vote is a generator without I/O, so a mode of your own can be built
around the stock one: do something before it, after it, or instead of it. The example solution
contains an error that the shipped model does not find, because its code does not run.
"""

import asyncio
from dataclasses import replace
from pathlib import Path

from genprm import Sandbox, Verifier, load_model
from genprm.dataset import read_solutions
from genprm.records.run_spec import JudgeSpec
from genprm.verdict import Flag, Vote
from genprm.verify.turn import Stage

SOLUTION = Path(__file__).with_name("solution.txt")


class OnlyExecuted(Verifier):
    """Votes whose code failed abstain."""

    @property
    def spec(self) -> JudgeSpec:
        """Another name, so that no run mixes both kinds of votes."""
        return super().spec.model_copy(update={"judge": "only-executed"})

    def vote_session(self, prompt: str, step: int) -> Stage[Vote]:
        """The stock protocol, and a look at how it ended."""
        vote = yield from super().vote_session(prompt, step)
        if Flag.CODE_FAILED in vote.flags:
            return replace(vote, reward=None, flags=(*vote.flags, Flag.UNREADABLE))
        return vote


async def main() -> None:
    """Judge the same solution in the stock mode and in ours."""
    model = load_model("arithmetic")
    solution = read_solutions(str(SOLUTION))[0]
    async with Sandbox() as sandbox:
        for judge in (Verifier(model, sandbox), OnlyExecuted(model, sandbox)):
            verdict = await judge.verify(solution)
            rewards = [
                "abstains" if step.reward is None else f"{step.reward:.2f}"
                for step in verdict.steps
            ]
            print(
                f"{type(judge).__name__}: {', '.join(rewards)}; first error {verdict.first_error}"
            )
    await model.close()


if __name__ == "__main__":
    asyncio.run(main())
