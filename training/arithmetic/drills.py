"""Sums and products by the dozen: a policy has to know them by heart."""

from __future__ import annotations

import random

from genprm.arithmetic.problems import EASY_NUMBER
from training.arithmetic.chats import TURN_CLOSE, Piece, turn

ROWS = 24
REQUEST = "Work these out."


def drill_chat(number: int) -> list[Piece]:
    """Chat number `number` of an endless stream of drills."""
    rng = random.Random(f"drill {number}")
    pieces = [Piece(turn("user", REQUEST), False)]
    for _ in range(ROWS):
        task, result = _row(rng)
        pieces += [Piece(f"{task} =", False), Piece(f" {result}\n", True)]
    return [*pieces, Piece(f"{TURN_CLOSE}\n", False)]


def _row(rng: random.Random) -> tuple[str, int]:
    """A task and its result, of numbers such as easy problems have."""
    operator = rng.choice("++---**/")
    while True:
        low = -EASY_NUMBER if rng.random() < 0.3 else 0
        left, right = rng.randint(low, EASY_NUMBER), rng.randint(low, EASY_NUMBER)
        if operator in "*/":
            left, right = rng.sample((rng.randint(2, 5), rng.randint(2, 10)), 2)
        result = {"+": left + right, "-": left - right, "*": left * right, "/": left}[operator]
        if abs(result) <= EASY_NUMBER:
            break
    return f"{left * right if operator == '/' else left} {operator} {right}", result
