"""Exercises as the multi-turn chats of the wire format, cut into pieces with and without loss.

A piece carries loss if the model writes it itself: analysis, code, reflection, judgement. Turns
of the user, executed output and what the driver appends carry none.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

from genprm.arithmetic.exercise import Exercise
from genprm.arithmetic.teacher import Rationale, rationales
from genprm.verify import format as wire
from genprm.verify.format import Mode, PromptFormat

TURN_OPEN, TURN_CLOSE = "<|im_start|>", "<|im_end|>"

MODE_SHARES = {
    Mode.GENPRM: 0.78,
    Mode.NO_EXEC: 0.06,
    Mode.COT: 0.06,
    Mode.CODE: 0.04,
    Mode.DIRECT: 0.06,
}
READS_ON = 0.15  # share of wrong solutions that are judged beyond their first error
SLIPS = 0.04  # share of the blocks of code that fail at first
NUMBERED = 0.4  # share of solutions whose steps begin with `Step t: `
PLAIN_QUESTION = 0.1  # share of chats in the evaluator's form of the first user turn


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a chat's text."""

    text: str
    learned: bool


def draw_chat(exercise: Exercise, rng: random.Random) -> list[Piece]:
    """A chat over the exercise in a mode drawn by `MODE_SHARES`."""
    mode = rng.choices(list(MODE_SHARES), list(MODE_SHARES.values()))[0]
    steps = [
        f"Step {number}: {step}" if numbered else step
        for numbered in [rng.random() < NUMBERED]
        for number, step in enumerate(exercise.steps, start=1)
    ]
    judged = len(steps)
    if exercise.first_error >= 0 and rng.random() >= READS_ON:
        judged = exercise.first_error + 1
    prompts = PromptFormat(question_prefix=rng.random() >= PLAIN_QUESTION)
    opening = prompts.messages(exercise.problem, steps, [""] * (judged - 1), mode=mode)
    spoken = [message["content"] for message in opening if message["role"] == "user"]
    pieces = [Piece(turn("system", opening[0]["content"]), False)]
    for number, (user, rationale) in enumerate(
        zip(spoken, rationales(exercise, rng, slips=SLIPS), strict=False), start=1
    ):
        pieces.append(Piece(turn("user", user), False))
        pieces.extend(assistant_turn(rationale, number, mode))
    return pieces


def turn(role: str, content: str) -> str:
    """A turn of the system or the user as the chat template writes it."""
    return f"{TURN_OPEN}{role}\n{content}{TURN_CLOSE}\n"


def assistant_turn(rationale: Rationale, number: int, mode: Mode) -> Iterator[Piece]:
    """The turn on step `number` (from 1); the chat template opens it with nothing."""
    judgement = Piece(wire.YES if rationale.correct else wire.NO, True)
    if mode is Mode.DIRECT:
        yield from (Piece(wire.DIRECT_OPEN, False), judgement)
        yield Piece(f"{wire.DIRECT_CLOSE}{TURN_CLOSE}\n", False)
        return
    if mode.analyses:
        yield Piece(wire.analyze_open(number), False)
        yield Piece(f"{rationale.analysis}\n{wire.ANALYZE_CLOSE}", True)
    if mode.codes:
        yield Piece(wire.VERIFY_OPEN, False)
        if rationale.slip and mode.executes:
            yield Piece(rationale.slip.code + wire.FENCE_CLOSE, False)
            yield Piece(wire.code_output(rationale.slip.output), False)
            yield Piece(f"{rationale.excuse}\n{wire.FENCE_OPEN}", True)
        yield Piece(rationale.code + wire.FENCE_CLOSE, True)
        if mode.executes:
            yield Piece(wire.code_output(rationale.output), False)
            yield Piece(f"{rationale.reflection}\n", True)
        yield Piece(wire.VERIFY_CLOSE, True)
    yield from (Piece(wire.JUDGEMENT_OPEN, False), judgement)
    yield Piece(f"{wire.JUDGEMENT_CLOSE}{TURN_CLOSE}\n", False)
