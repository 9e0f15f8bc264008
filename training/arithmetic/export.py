"""A trained model as a Hugging Face folder that every engine can start from."""

from __future__ import annotations

import json
from pathlib import Path

from tokenizers import Tokenizer
from transformers import PreTrainedTokenizerFast, Qwen2ForCausalLM

from genprm.arithmetic.gguf_export import to_gguf
from genprm.gguf_header import OUR_WEIGHTS
from training.arithmetic.chats import TURN_CLOSE
from training.arithmetic.tokenizer import CHAT_TEMPLATE, PADDING
from training.arithmetic.training import CONTEXT


def save_checkpoint(model: Qwen2ForCausalLM, tokenizer: Tokenizer, folder: Path) -> None:
    """Write config, float16 weights, tokenizer, chat template, generation settings, GGUF."""
    folder.mkdir(parents=True, exist_ok=True)
    model.half().save_pretrained(folder)  # type: ignore[no-untyped-call]
    wrapped = PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=tokenizer,
        eos_token=TURN_CLOSE,
        pad_token=PADDING,
        model_max_length=CONTEXT,
        clean_up_tokenization_spaces=False,
        chat_template=CHAT_TEMPLATE,
    )
    wrapped.save_pretrained(folder)
    settings = {
        "eos_token_id": 2,
        "pad_token_id": 0,
        "do_sample": True,
        "temperature": 0.6,
        "top_p": 0.95,
        "top_k": 20,
    }
    (folder / "generation_config.json").write_text(
        json.dumps(settings, indent=2) + "\n", encoding="utf-8"
    )
    to_gguf(folder, folder / OUR_WEIGHTS)
