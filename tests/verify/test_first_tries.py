"""What people type on their first try: the default judge keeps the level that it has reached."""

import asyncio
from pathlib import Path

from genprm.compose import DEFAULT, JudgeChoice, ModelChoice, open_judge
from genprm.problem import Solution
from genprm.verify.settings import Settings

LINES = Path(__file__).with_name("first_tries.txt").read_text("utf-8").splitlines()


def first_errors(solutions: list[Solution]) -> list[int | None]:
    async def run() -> list[int | None]:
        async with open_judge(JudgeChoice(ModelChoice(DEFAULT)), Settings()) as judge:
            return [(await judge.verify(solution)).first_error for solution in solutions]

    return asyncio.run(run())


def test_simple_problems() -> None:
    """The last four need to know what the problem calls for: no equation in them is false."""
    texts, labels = zip(*(line.rsplit(" # ", 1) for line in LINES), strict=True)
    parts = [text.split(" | ") for text in texts]
    found = first_errors([Solution(problem, tuple(steps)) for problem, *steps in parts])
    wanted = [-1 if label == "right" else int(label) for label in labels]
    missed = [text for text, one, other in zip(texts, found, wanted, strict=True) if one != other]
    assert len(missed) <= 4, missed
