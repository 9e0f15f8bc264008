"""Train the shipped models: a trunk first, at a level rate, then a short branch for each of them.

    torchrun --nproc-per-node 2 -m genprm.arithmetic.pretraining trunk --minutes 80 --out DIR
    python -m genprm.arithmetic.pretraining verifier --trunk DIR --minutes 20 --out DIR2
    python -m genprm.arithmetic.pretraining policy --trunk DIR --minutes 20 --out DIR3

On a branch the rate falls in a straight line. A run that was killed goes on from its last
checkpoint with the same command. Each ends with DIR/model, ready for every engine.
"""

from __future__ import annotations

import argparse
import os
import shutil
from collections.abc import Callable
from pathlib import Path

from tokenizers import Tokenizer

from genprm.arithmetic.chats import Piece
from genprm.arithmetic.export import save_checkpoint
from genprm.arithmetic.policy_chats import policy_lesson
from genprm.arithmetic.tokenizer import learn_tokenizer
from genprm.arithmetic.training import CHECKPOINT, Recipe, is_first_worker, learn_from, train
from genprm.arithmetic.trunk_chats import trunk_chat
from genprm.arithmetic.verifier_chats import verifier_chat

BRANCHES: dict[str, Callable[[int], list[Piece]]] = {
    "verifier": verifier_chat,
    "policy": policy_lesson,
}
TOKENIZER = "tokenizer.json"
FIRST_OF_BRANCH = 10**6  # chat number; the trunk has not come that far


def main() -> None:
    """Read the command line, train, and export a branch."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", choices=["trunk", *BRANCHES])
    parser.add_argument("--minutes", type=float, required=True)
    parser.add_argument("--hidden", type=int, default=Recipe().hidden, help="a multiple of 64")
    parser.add_argument("--trunk", type=Path, help="of a branch: the folder of its trunk")
    parser.add_argument("--out", type=Path, required=True)
    asked = parser.parse_args()
    size = {"hidden": asked.hidden, "feed_forward": 3 * asked.hidden}
    if asked.model == "trunk":
        grow_trunk(Recipe(minutes=asked.minutes, decay=0.0, **size), asked.out)
    elif asked.trunk is None:
        parser.error(f"--trunk is missing; fix: the folder of the trunk that {asked.model} leaves")
    else:
        recipe = Recipe(minutes=asked.minutes, warmup=0.03, decay=0.95, **size)
        branch_off(BRANCHES[asked.model], asked.trunk, recipe, asked.out)


def grow_trunk(recipe: Recipe, folder: Path) -> None:
    """Learn the tokenizer, train from scratch, and export.

    Every worker learns the same tokenizer and puts it in place whole, so none reads half a file.
    """
    path = folder / TOKENIZER
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        fresh = path.with_suffix(f".{os.getpid()}")
        learn_from(trunk_chat, learn_tokenizer).save(str(fresh))
        fresh.replace(path)
    tokenizer = Tokenizer.from_file(str(path))
    model = train(trunk_chat, tokenizer, recipe, folder)
    if is_first_worker():
        save_checkpoint(model, tokenizer, folder / "model")


def branch_off(
    chats: Callable[[int], list[Piece]], trunk: Path, recipe: Recipe, folder: Path
) -> None:
    """Train on one model's chats alone, from the trunk's weights, and export."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(trunk / TOKENIZER, folder)
    tokenizer = Tokenizer.from_file(str(folder / TOKENIZER))
    model = train(
        lambda number: chats(FIRST_OF_BRANCH + number),
        tokenizer,
        recipe,
        folder,
        start=trunk / CHECKPOINT,
    )
    if is_first_worker():
        save_checkpoint(model, tokenizer, folder / "model")


if __name__ == "__main__":
    main()
