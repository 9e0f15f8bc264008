"""The endless, seeded stream of exercises, split into training and held-out problems."""

from __future__ import annotations

import random
import zlib
from collections.abc import Iterator
from enum import StrEnum
from itertools import count

from genprm.arithmetic.exercise import Exercise, Family
from genprm.arithmetic.nested import nested_exercise
from genprm.arithmetic.stories import story_exercise

GENERATORS = {Family.STORY: story_exercise, Family.NESTED: nested_exercise}


class Split(StrEnum):
    """What a problem may be used for."""

    TRAIN = "train"
    HELD_OUT = "held-out"


def split_of(problem: str) -> Split:
    """The split a problem's text belongs to: no problem is in both, whatever the seeds."""
    return Split.HELD_OUT if zlib.crc32(problem.encode()) % 20 == 0 else Split.TRAIN


def exercise(
    seed: int, index: int, split: Split, *, family: Family | None = None, wrong_share: float = 0.5
) -> Exercise:
    """Exercise number `index` of the stream named by `seed` and `split`."""
    rng = random.Random(f"{split} {seed} {index} {family}")
    chosen = family or rng.choice(list(Family))
    wrong = rng.random() < wrong_share
    while True:
        drawn = GENERATORS[chosen](rng, wrong=wrong)
        if split_of(drawn.problem) is split:
            return drawn


def exercises(
    seed: int, split: Split, *, family: Family | None = None, wrong_share: float = 0.5
) -> Iterator[Exercise]:
    """The stream itself."""
    return (
        exercise(seed, index, split, family=family, wrong_share=wrong_share) for index in count()
    )
