"""What the built-in policy learns from: careful solutions of easy problems.

It writes `Step 1: … Step T: …`, one operation at a time, and has seen right solutions only, so
its errors are its own. It also learns to write a solution again when a critique of its first one
is handed back.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from genprm.arithmetic.exercise import Exercise
from genprm.arithmetic.problems import Split, easy_solutions
from genprm.arithmetic.teacher import rationales
from training.arithmetic.chats import TURN_CLOSE, Piece, turn
from training.arithmetic.drills import drill_chat

SEED = 1
DRILLED = 4  # every fourth chat is a drill
CORRECTED = 0.15  # share of chats in which a wrong solution is criticised first
CRITIQUE = "A reviewer found an error in step {step}: {analysis}\n\nWrite the solution again."


def policy_lesson(number: int) -> list[Piece]:
    """Chat number `number` of the training stream: a solution, or now and then a drill."""
    return policy_chat(number) if number % DRILLED else drill_chat(number)


def policy_chat(number: int) -> list[Piece]:
    """A careful solution of an easy problem, some of them after a criticised attempt."""
    rng = random.Random(f"policy {SEED} {number}")
    corrected = rng.random() < CORRECTED
    wrong = [True, False] if corrected else [False]
    *attempts, right = easy_solutions(rng, Split.TRAIN, wrong=wrong)
    pieces = [Piece(turn("user", right.problem), False)]
    for attempt in attempts:
        pieces.append(Piece(answer(attempt.steps), False))
        pieces.append(Piece(turn("user", critique(attempt, rng)), False))
    return [*pieces, Piece(answer(right.steps), True)]


def answer(steps: Sequence[str]) -> str:
    """A solution as the assistant's turn, with marked steps."""
    marked = (f"Step {number}: {step}" for number, step in enumerate(steps, start=1))
    return "\n\n".join(marked) + f"{TURN_CLOSE}\n"


def critique(attempt: Exercise, rng: random.Random) -> str:
    """What a verifier would say about the first error of a wrong solution."""
    analysis = rationales(attempt, rng)[attempt.first_error].analysis
    return CRITIQUE.format(step=attempt.first_error + 1, analysis=analysis)
