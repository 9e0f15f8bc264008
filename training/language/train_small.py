"""Go on training the shipped arithmetic verifier on problems as people type them.

    python -m training.language.train_small --minutes 60 --out build/typed

A share of the chats are of the kind it was trained on, so that it keeps what it knows. A run
that was killed goes on from its last checkpoint with the same command; it ends with OUT/model.
"""

from __future__ import annotations

import argparse
import random
from importlib import resources
from pathlib import Path

import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer

from genprm.train.gguf_base import write_folder
from training.arithmetic.chats import Piece, draw_chat
from training.arithmetic.export import save_checkpoint
from training.arithmetic.training import Recipe, build_model, train
from training.arithmetic.verifier_chats import verifier_chat
from training.language.exercises import typed_exercise

SEED = 18
TYPED_SHARE = 0.85
FIRST_OLD = 3 * 10**6  # chat number; the shipped weights' training has not come that far
SHIPPED = Path(str(resources.files("genprm"))) / "arithmetic" / "weights" / "verifier"


def mixed_chat(number: int) -> list[Piece]:
    """A chat about a typed problem, or one of the old kind."""
    rng = random.Random(f"mixed {SEED} {number}")
    if rng.random() < TYPED_SHARE:
        return draw_chat(typed_exercise(SEED, number), rng)
    return verifier_chat(FIRST_OLD + number)


def start_from(shipped: Path, folder: Path, recipe: Recipe, tokenizer: Tokenizer) -> Path:
    """The shipped weights in the form in which a training starts."""
    model = build_model(recipe, tokenizer.get_vocab_size())
    checkpoint = write_folder(shipped / "model.gguf", folder / "base")
    weights = load_file(checkpoint / "model.safetensors")
    missing, unknown = model.load_state_dict(weights, strict=False)
    if unknown or set(missing) - {"lm_head.weight"}:
        raise ValueError(f"{shipped}: other weights than expected: {missing}, {unknown}")
    model.tie_weights()
    path = folder / "start.pt"
    torch.save({"model": model.state_dict(), "state": {"drawn": 0}}, path)
    return path


def main() -> None:
    """Read the command line, train, export."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, required=True)
    parser.add_argument("--peak", type=float, default=1.2e-3, help="the highest learning rate")
    parser.add_argument("--base", type=Path, default=SHIPPED, help="the model to start from")
    parser.add_argument("--out", type=Path, required=True)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    recipe = Recipe(
        minutes=asked.minutes, warmup=0.03, decay=0.9, peak=asked.peak, seed=SEED, save_minutes=2.0
    )
    asked.out.mkdir(parents=True, exist_ok=True)
    tokenizer = Tokenizer.from_file(str(asked.base / "tokenizer.json"))
    start = start_from(asked.base, asked.out, recipe, tokenizer)
    model = train(mixed_chat, tokenizer, recipe, asked.out, start=start)
    save_checkpoint(model, tokenizer, asked.out / "model")


if __name__ == "__main__":
    main()
