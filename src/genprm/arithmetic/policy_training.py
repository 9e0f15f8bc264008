"""Train the built-in policy.

    python -m genprm.arithmetic.policy_training --start VERIFIER_RUN --out DIR

The policy writes solutions of the same domain, `Step 1: … Step T: …`, one operation at a time.
It sees right ones only, so its errors are its own. It also learns to write a solution again when
a critique of its first one is handed back. It starts from a trained verifier, which can already
copy and read.
"""

from __future__ import annotations

import argparse
import random
import shutil
from collections.abc import Sequence
from pathlib import Path

from genprm.arithmetic.chats import TURN_CLOSE, Piece, turn
from genprm.arithmetic.exercise import Exercise
from genprm.arithmetic.export import save_checkpoint
from genprm.arithmetic.openvino_export import add_openvino
from genprm.arithmetic.problems import Split, easy_solutions
from genprm.arithmetic.teacher import rationales
from genprm.arithmetic.training import Recipe, train
from genprm.arithmetic.verifier_training import tokenizer_in

SEED = 1
MINUTES = 12.0
BOXED = r"\boxed{"
CORRECTED = 0.15  # share of chats in which a wrong solution is criticised first
CRITIQUE = "A reviewer found an error in step {step}: {analysis}\n\nWrite the solution again."


def policy_chat(number: int) -> list[Piece]:
    """Chat number `number` of the training stream."""
    rng = random.Random(f"policy {SEED} {number}")
    corrected = rng.random() < CORRECTED
    wrong = [True, False] if corrected else [False]
    while True:
        *attempts, right = easy_solutions(rng, Split.TRAIN, wrong=wrong)
        if BOXED in right.steps[-1]:  # it should always write answers so
            break
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


def main() -> None:
    """Read the command line, train, export."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=MINUTES)
    parser.add_argument("--start", type=Path, required=True, help="folder of a verifier training")
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    shutil.copy(arguments.start / "tokenizer.json", arguments.out)
    tokenizer = tokenizer_in(arguments.out)
    recipe = Recipe(minutes=arguments.minutes, peak=2e-3)
    start = arguments.start / "checkpoint.pt"
    model = train(policy_chat, tokenizer, recipe, arguments.out, start=start)
    save_checkpoint(model, tokenizer, arguments.out / "model")
    add_openvino(arguments.out / "model")


if __name__ == "__main__":
    main()
