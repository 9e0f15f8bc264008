"""The endless, seeded stream of exercises, split into training and held-out problems."""

from __future__ import annotations

import random
import re
import zlib
from collections.abc import Iterator, Sequence
from enum import StrEnum
from itertools import count

from genprm.arithmetic.chains import CAREFUL, Habits
from genprm.arithmetic.exercise import Exercise, Family
from genprm.arithmetic.expressions import Unwieldy
from genprm.arithmetic.nested import draw_nested, solve_nested
from genprm.arithmetic.stories import draw_story, solve_story

EASY_NUMBER = 20
EASY_STEPS = 5
STORY_SHARE = 0.75  # of the easy problems


class Split(StrEnum):
    """What a problem may be used for."""

    TRAIN = "train"
    HELD_OUT = "held-out"


def split_of(problem: str) -> Split:
    """The split of a problem's text: no problem is in both, whatever the seeds."""
    return Split.HELD_OUT if zlib.crc32(problem.encode()) % 20 == 0 else Split.TRAIN


def exercise(
    seed: int, index: int, split: Split, *, family: Family | None = None, wrong_share: float = 0.5
) -> Exercise:
    """Exercise number `index` of the stream named by `seed` and `split`."""
    rng = random.Random(f"{split} {seed} {index} {family}")
    chosen = family or rng.choice(list(Family))
    (solution,) = solutions(rng, chosen, split, wrong=[rng.random() < wrong_share])
    return solution


def easy_exercise(seed: int, index: int, split: Split) -> Exercise:
    """Problem number `index` of a stream that a small policy can solve, with a careful solution.

    Every number on the way is whole and at most 20, and five steps are enough.
    """
    rng = random.Random(f"easy {split} {seed} {index}")
    return easy_solutions(rng, split, wrong=[False])[0]


def easy_solutions(rng: random.Random, split: Split, *, wrong: Sequence[bool]) -> list[Exercise]:
    """An easy problem, solved once for every entry of `wrong`; the last must be correct."""
    family = Family.STORY if rng.random() < STORY_SHARE else Family.NESTED
    while True:
        solved = solutions(rng, family, split, wrong=wrong, habits=CAREFUL, easy=True)
        if _is_easy(solved[-1]):
            return solved


def _is_easy(exercise: Exercise) -> bool:
    text = " ".join([exercise.problem, *exercise.steps])
    numbers = re.findall(r"\d+(?:\.\d+)?", text)
    whole = all("." not in number and int(number) <= EASY_NUMBER for number in numbers)
    return whole and "%" not in text and len(exercise.steps) <= EASY_STEPS


def solutions(
    rng: random.Random,
    family: Family,
    split: Split,
    *,
    wrong: Sequence[bool],
    habits: Habits | None = None,
    easy: bool = False,
) -> list[Exercise]:
    """A new problem, solved once for every entry of `wrong`, with an error if it is True.

    Each solution has its own habits, or all have the given ones.
    """
    while True:
        try:
            solved = _solve(rng, family, wrong, habits, easy=easy)
        except Unwieldy:
            continue
        found = [exercise for exercise in solved if exercise is not None]
        if len(found) == len(wrong) and split_of(found[0].problem) is split:
            return found


def _solve(
    rng: random.Random,
    family: Family,
    wrong: Sequence[bool],
    habits: Habits | None,
    *,
    easy: bool,
) -> list[Exercise | None]:
    if family is Family.STORY:
        story = draw_story(rng, easy=easy)
        return [solve_story(story, rng, wrong=each, habits=habits) for each in wrong]
    nested = draw_nested(rng)
    return [solve_nested(nested, rng, wrong=each, habits=habits) for each in wrong]


def exercises(
    seed: int, split: Split, *, family: Family | None = None, wrong_share: float = 0.5
) -> Iterator[Exercise]:
    """The stream itself."""
    return (
        exercise(seed, index, split, family=family, wrong_share=wrong_share) for index in count()
    )
