"""Put a trained model among those that the package ships.

    python -m training.arithmetic.shipping runs/arithmetic-verifier/model verifier

What stood there under its name is replaced.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from tokenizers import Tokenizer
from transformers import Qwen2ForCausalLM

from training.arithmetic.export import save_checkpoint

WEIGHTS = Path(__file__).parents[2] / "src" / "genprm" / "arithmetic" / "weights"


def ship(trained: Path, folder: Path) -> None:
    """Write a Hugging Face folder again in float16, with its weights once: as GGUF."""
    model = Qwen2ForCausalLM.from_pretrained(trained)
    save_checkpoint(model, Tokenizer.from_file(str(trained / "tokenizer.json")), folder)
    (folder / "model.safetensors").unlink()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("trained", type=Path, help="a Hugging Face folder of `genprm train`")
    parser.add_argument("name", choices=["verifier", "policy"])
    asked = parser.parse_args()
    ship(asked.trained, WEIGHTS / asked.name)
