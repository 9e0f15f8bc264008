"""What verifier and policy learn together, before each goes its own way.

Both must read, copy and calculate, so the stable phase, which they share, learns from the chats
of both.
"""

from __future__ import annotations

import random

from training.arithmetic.chats import TURN_OPEN, Piece
from training.arithmetic.policy_chats import policy_lesson
from training.arithmetic.verifier_chats import verifier_chat

VERIFIER_SHARE = 0.4  # of the chats
SHORTENED = 0.6  # share of the verifier's chats that end early: most is learned on their first turn
LONGEST_SHORT = 3  # turns


def stable_chat(number: int) -> list[Piece]:
    """Chat number `number` of the training stream."""
    rng = random.Random(f"trunk {number}")  # the seed that made the shipped weights
    if rng.random() < VERIFIER_SHARE:
        chat = verifier_chat(number)
        return shortened(chat, rng.randint(1, LONGEST_SHORT)) if rng.random() < SHORTENED else chat
    return policy_lesson(number)


def shortened(chat: list[Piece], turns: int) -> list[Piece]:
    """The chat up to the verifier's given number of turns."""
    opened = [
        index for index, piece in enumerate(chat) if piece.text.startswith(f"{TURN_OPEN}user")
    ]
    return chat[: opened[turns]] if turns < len(opened) else chat
