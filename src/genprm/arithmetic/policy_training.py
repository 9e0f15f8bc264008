"""Train the built-in policy.

    python -m genprm.arithmetic.policy_training --start VERIFIER_RUN --out DIR

The policy writes solutions of the same domain, `Step 1: … Step T: …`, from right examples only:
its errors are its own. It starts from a trained verifier, which can already copy and read.
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

from genprm.arithmetic.chats import TURN_CLOSE, Piece, turn
from genprm.arithmetic.exercise import Exercise
from genprm.arithmetic.export import save_checkpoint
from genprm.arithmetic.openvino_export import add_openvino
from genprm.arithmetic.problems import Split, exercise
from genprm.arithmetic.training import Recipe, train
from genprm.arithmetic.verifier_training import tokenizer_in

SEED = 1
MINUTES = 12.0


def policy_chat(number: int) -> list[Piece]:
    """Chat number `number` of the training stream."""
    return solution_chat(exercise(SEED, number, Split.TRAIN, wrong_share=0.0))


def solution_chat(drawn: Exercise) -> list[Piece]:
    """The problem as the user's turn, the solution in marked steps as the answer."""
    steps = [f"Step {number}: {step}" for number, step in enumerate(drawn.steps, start=1)]
    return [
        Piece(turn("user", drawn.problem), False),
        Piece("\n\n".join(steps) + f"{TURN_CLOSE}\n", True),
    ]


def main() -> None:
    """Read the command line, train, export."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=MINUTES)
    parser.add_argument(
        "--start", type=Path, required=True, help="folder of a finished verifier training"
    )
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    shutil.copy(arguments.start / "tokenizer.json", arguments.out)
    tokenizer = tokenizer_in(arguments.out)
    recipe = Recipe(minutes=arguments.minutes, peak=2e-3)
    model = train(
        policy_chat, tokenizer, recipe, arguments.out, start=arguments.start / "checkpoint.pt"
    )
    save_checkpoint(model, tokenizer, arguments.out / "model")
    add_openvino(arguments.out / "model")


if __name__ == "__main__":
    main()
