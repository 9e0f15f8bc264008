"""Sums and products by the dozen: a policy has to know them by heart."""

from __future__ import annotations

import random

from genprm.arithmetic.chats import TURN_CLOSE, Piece, turn

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
    """A task and its result; every number on the way is at most a few hundred."""
    operator = rng.choice("++--*/")
    if operator in "+-":
        low = -100 if rng.random() < 0.3 else 0
        left, right = rng.randint(low, 100), rng.randint(low, 100)
        result = left + right if operator == "+" else left - right
        return f"{left} {operator} {right}", result
    small, large = rng.randint(2, 9), rng.randint(2, 50)
    if operator == "/":
        return f"{small * large} / {small}", large
    left, right = rng.sample((small, large), 2)
    return f"{left} * {right}", left * right
