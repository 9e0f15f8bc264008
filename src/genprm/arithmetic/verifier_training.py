"""Train the built-in verifier.

    python -m genprm.arithmetic.verifier_training --minutes 60 --out DIR

Killed and started again with the same command, it goes on from its last checkpoint.
"""

from __future__ import annotations

import argparse
import random
from pathlib import Path

from tokenizers import Tokenizer

from genprm.arithmetic.chats import Piece, draw_chat
from genprm.arithmetic.exercise import Family
from genprm.arithmetic.export import save_checkpoint
from genprm.arithmetic.openvino_export import add_openvino
from genprm.arithmetic.problems import Split, exercise
from genprm.arithmetic.tokenizer import learn_tokenizer
from genprm.arithmetic.training import Recipe, learn_from, train

SEED = 0
MINUTES = 60.0
STORY_SHARE = 0.65  # word problems are harder to read, and their chats are shorter
WRONG_SHARE = 0.6  # more than half, for a wrong solution has more right steps than wrong ones


def verifier_chat(number: int) -> list[Piece]:
    """Chat number `number` of the training stream."""
    rng = random.Random(f"family {SEED} {number}")
    family = Family.STORY if rng.random() < STORY_SHARE else Family.NESTED
    drawn = exercise(SEED, number, Split.TRAIN, family=family, wrong_share=WRONG_SHARE)
    return draw_chat(drawn, random.Random(f"chat {SEED} {number}"))


def tokenizer_in(folder: Path) -> Tokenizer:
    """The tokenizer of a run, learned when the run begins."""
    path = folder / "tokenizer.json"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        learn_from(verifier_chat, learn_tokenizer).save(str(path))
    return Tokenizer.from_file(str(path))


def main() -> None:
    """Read the command line, train, export."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=MINUTES)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    tokenizer = tokenizer_in(arguments.out)
    model = train(verifier_chat, tokenizer, Recipe(minutes=arguments.minutes), arguments.out)
    save_checkpoint(model, tokenizer, arguments.out / "model")
    add_openvino(arguments.out / "model")


if __name__ == "__main__":
    main()
