"""What the built-in verifier learns from: the teacher's critiques of right and wrong solutions."""

from __future__ import annotations

import random

from genprm.arithmetic.exercise import Family
from genprm.arithmetic.problems import Split, exercise
from training.arithmetic.chats import Piece, draw_chat

SEED = 0
STORY_SHARE = 0.65  # word problems are harder to read, and their chats are shorter
WRONG_SHARE = 0.6  # more than half, for a wrong solution has more right steps than wrong ones


def verifier_chat(number: int) -> list[Piece]:
    """Chat number `number` of the training stream."""
    rng = random.Random(f"family {SEED} {number}")
    family = Family.STORY if rng.random() < STORY_SHARE else Family.NESTED
    drawn = exercise(SEED, number, Split.TRAIN, family=family, wrong_share=WRONG_SHARE)
    return draw_chat(drawn, random.Random(f"chat {SEED} {number}"))
