"""Train the trunk from which the built-in verifier and the built-in policy branch off.

    torchrun --nproc-per-node 2 -m genprm.arithmetic.trunk_training --minutes 60 --out DIR

The trunk learns at a level rate what both need (to read, to copy, to reckon) from both their
chats and from drills; `verifier_training` and `policy_training` then take one each and let the
rate fall. Killed and started again with the same command, it goes on from its last checkpoint.
"""

from __future__ import annotations

import argparse
import random
from pathlib import Path

from tokenizers import Tokenizer

from genprm.arithmetic.chats import Piece
from genprm.arithmetic.drills import drill_chat
from genprm.arithmetic.policy_training import policy_chat
from genprm.arithmetic.tokenizer import learn_tokenizer
from genprm.arithmetic.training import Recipe, learn_from, train
from genprm.arithmetic.verifier_training import verifier_chat

VERIFIER_SHARE, POLICY_SHARE = 0.4, 0.5  # of the chats; the rest are drills
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


def main() -> None:
    """Read the command line, train."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--initial", type=Path, help="checkpoint.pt with weights to begin from")
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    recipe = Recipe(minutes=arguments.minutes, decay=0.0, batch_tokens=4096, peak=2.4e-3)
    train(trunk_chat, tokenizer_in(arguments.out), recipe, arguments.out, start=arguments.initial)


def tokenizer_in(folder: Path) -> Tokenizer:
    """The tokenizer of a run, learned when the run begins."""
    path = folder / "tokenizer.json"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        learn_from(trunk_chat, learn_tokenizer).save(str(path))
    return Tokenizer.from_file(str(path))


if __name__ == "__main__":
    main()
