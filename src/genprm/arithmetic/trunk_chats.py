"""What verifier and policy learn together, before each goes its own way.

Both have to read, to copy and to reckon; so the trunk learns from the chats of both, and from
drills.
"""

from __future__ import annotations

import random

from genprm.arithmetic.chats import Piece
from genprm.arithmetic.drills import drill_chat
from genprm.arithmetic.policy_chats import policy_chat
from genprm.arithmetic.verifier_chats import verifier_chat

VERIFIER_SHARE, POLICY_SHARE = 0.4, 0.45  # of the chats; the rest are drills
SHORTENED = 0.6  # share of the verifier's chats that end early: most is learned on their first turn
LONGEST_SHORT = 3  # turns


def trunk_chat(number: int) -> list[Piece]:
    """Chat number `number` of the training stream."""
    rng = random.Random(f"trunk {number}")
    roll = rng.random()
    if roll < VERIFIER_SHARE:
        chat = verifier_chat(number)
        return shortened(chat, rng.randint(1, LONGEST_SHORT)) if rng.random() < SHORTENED else chat
    return policy_chat(number) if roll < VERIFIER_SHARE + POLICY_SHARE else drill_chat(number)


def shortened(chat: list[Piece], turns: int) -> list[Piece]:
    """The chat up to the verifier's given number of turns."""
    opened = [
        index for index, piece in enumerate(chat) if piece.text.startswith("<|im_start|>user")
    ]
    return chat[: opened[turns]] if turns < len(opened) else chat
