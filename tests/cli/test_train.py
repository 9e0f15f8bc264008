"""`genprm train` on the shipped verifier: its model is one that `genprm verify` loads."""

import asyncio
from pathlib import Path

import pytest
from tiny import write_chats

from genprm.cli.commands.train import train
from genprm.model import Model, Sampling
from genprm.models.load import load_model

pytest.importorskip("trl")
pytest.importorskip("gguf")

VERIFIER = Path(__file__).parents[2] / "src/genprm/arithmetic/weights/verifier"


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_what_the_embedded_engine_loaded_it_loads_again(tmp_path: Path, precision: str) -> None:
    chats = write_chats(tmp_path / "chats.jsonl", 4)
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(
        f"""
        [train]
        base = "{VERIFIER}"
        chats = "{chats}"
        output = "{tmp_path / "out"}"
        batch = 4
        max_length = 700
        packing = false
        precision = "{precision}"
        gradient_checkpointing = false
        """
    )
    train(recipe)
    assert asyncio.run(greedy(load_model(str(tmp_path / "out" / "model")))) == asyncio.run(
        greedy(load_model(str(VERIFIER)))
    )


async def greedy(model: Model) -> str:
    """What a model says first of a problem; four chats at the default rate change no letter."""
    prompt = "<|im_start|>user\nMia has 2 pens and buys 3 more. How many has she?"
    said = await model.complete(prompt, stop=["\n"], max_tokens=16, sampling=Sampling(0.0), seed=0)
    await model.close()
    return said.text
