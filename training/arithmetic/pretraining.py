"""Train the shipped models: one stable phase for both, then a decay phase for each of them.

    torchrun --nproc-per-node 2 -m training.arithmetic.pretraining stable --minutes 80 --out DIR
    python -m training.arithmetic.pretraining verifier --stable DIR --minutes 20 --out DIR2
    python -m training.arithmetic.pretraining policy --stable DIR --minutes 20 --out DIR3

The learning rate is constant in the stable phase and falls linearly in a decay phase. Run the
same command again to resume from the last checkpoint. Each phase ends with DIR/model, ready for
every engine.
"""

from __future__ import annotations

import argparse
import os
import shutil
from collections.abc import Callable
from pathlib import Path

from tokenizers import Tokenizer

from training.arithmetic.chats import Piece
from training.arithmetic.export import save_checkpoint
from training.arithmetic.policy_chats import policy_lesson
from training.arithmetic.stable_chats import stable_chat
from training.arithmetic.tokenizer import learn_tokenizer
from training.arithmetic.training import CHECKPOINT, Recipe, is_first_worker, learn_from, train
from training.arithmetic.verifier_chats import verifier_chat

DECAYS: dict[str, Callable[[int], list[Piece]]] = {
    "verifier": verifier_chat,
    "policy": policy_lesson,
}
TOKENIZER = "tokenizer.json"
FIRST_OF_DECAY = 10**6  # chat number; the stable phase never comes that far


def main() -> None:
    """Read the command line, train, and export."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", choices=["stable", *DECAYS])
    parser.add_argument("--minutes", type=float, required=True)
    parser.add_argument("--hidden", type=int, default=Recipe().hidden, help="a multiple of 64")
    parser.add_argument("--stable", type=Path, help="folder of the stable phase to go on from")
    parser.add_argument("--out", type=Path, required=True)
    asked = parser.parse_args()
    size = {"hidden": asked.hidden, "feed_forward": 3 * asked.hidden}
    if asked.model == "stable":
        train_stable(Recipe(minutes=asked.minutes, decay=0.0, **size), asked.out)
    elif asked.stable is None:
        parser.error("--stable is missing; fix: name the folder of the stable phase")
    else:
        recipe = Recipe(minutes=asked.minutes, warmup=0.03, decay=0.95, **size)
        train_decay(DECAYS[asked.model], asked.stable, recipe, asked.out)


def train_stable(recipe: Recipe, folder: Path) -> None:
    """Learn the tokenizer, train from scratch, and export.

    Every worker learns the same tokenizer and puts it in place whole, so none reads half a file.
    """
    path = folder / TOKENIZER
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        fresh = path.with_suffix(f".{os.getpid()}")
        learn_from(stable_chat, learn_tokenizer).save(str(fresh))
        fresh.replace(path)
    tokenizer = Tokenizer.from_file(str(path))
    model = train(stable_chat, tokenizer, recipe, folder)
    if is_first_worker():
        save_checkpoint(model, tokenizer, folder / "model")


def train_decay(
    chats: Callable[[int], list[Piece]], stable: Path, recipe: Recipe, folder: Path
) -> None:
    """Train on one model's chats alone, from the stable phase's weights, and export."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(stable / TOKENIZER, folder)
    tokenizer = Tokenizer.from_file(str(folder / TOKENIZER))
    model = train(
        lambda number: chats(FIRST_OF_DECAY + number),
        tokenizer,
        recipe,
        folder,
        start=stable / CHECKPOINT,
    )
    if is_first_worker():
        save_checkpoint(model, tokenizer, folder / "model")


if __name__ == "__main__":
    main()
