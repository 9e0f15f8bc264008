"""Random-weight checkpoints of the public PRMs' architectures, with tokenizers of their kinds."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import (
    LlamaConfig,
    LlamaForCausalLM,
    MistralConfig,
    MistralForCausalLM,
    PreTrainedTokenizerFast,
    Qwen2Config,
)

from genprm.evaluate.baselines.reward_models import Qwen2ForPrmModel, Qwen2ForProcessRewardModel

TEXT = "Step 1: 3 + 4 = 7. ки\nStep 2: so 7 * 2 = 14, - the answer is + 14.\n\n"
CHATML = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
LLAMA_3 = (
    "<|begin_of_text|>{% for m in messages %}<|start_header_id|>{{ m.role }}<|end_header_id|>\n\n"
    "{{ m.content | trim }}<|eot_id|>{% endfor %}"
    "{% if add_generation_prompt %}<|start_header_id|>assistant<|end_header_id|>\n\n{% endif %}"
)
SHAPE: dict[str, Any] = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 2048,
}


def byte_level(template: str, special: list[str], *, bos: str | None = None) -> Any:
    """A byte-level BPE, as Qwen's and Llama 3's."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=400, special_tokens=special, initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator([TEXT] * 20, trainer)
    return PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=tokenizer, chat_template=template, bos_token=bos, eos_token=special[0]
    )


def sentence_piece() -> Any:
    """A BPE with the word-begin mark of SentencePiece, as Mistral's."""
    tokenizer = Tokenizer(models.BPE(byte_fallback=True, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first")
    tokenizer.decoder = decoders.Metaspace()
    special = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256))]
    trainer = trainers.BpeTrainer(
        vocab_size=500, special_tokens=special, limit_alphabet=300, show_progress=False
    )
    tokenizer.train_from_iterator([TEXT.replace("\n", " ")] * 20, trainer)
    return PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=tokenizer, unk_token="<unk>", bos_token="<s>", eos_token="</s>"
    )


def _qwen_prm() -> tuple[Any, Any]:
    special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<extra_0>"]
    tokenizer = byte_level(CHATML, special)
    return Qwen2ForProcessRewardModel(Qwen2Config(vocab_size=len(tokenizer), **SHAPE)), tokenizer


def _skywork() -> tuple[Any, Any]:
    special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    tokenizer = byte_level(CHATML, special, bos="<|endoftext|>")
    return Qwen2ForPrmModel(Qwen2Config(vocab_size=len(tokenizer), **SHAPE)), tokenizer


def _shepherd() -> tuple[Any, Any]:
    tokenizer = sentence_piece()
    return MistralForCausalLM(MistralConfig(vocab_size=len(tokenizer), **SHAPE)), tokenizer


def _rlhflow() -> tuple[Any, Any]:
    special = ["<|eot_id|>", "<|begin_of_text|>", "<|start_header_id|>", "<|end_header_id|>"]
    tokenizer = byte_level(LLAMA_3, special, bos="<|begin_of_text|>")
    return LlamaForCausalLM(LlamaConfig(vocab_size=len(tokenizer), **SHAPE)), tokenizer


BUILDERS: dict[str, Callable[[], tuple[Any, Any]]] = {
    "qwen-prm": _qwen_prm,
    "skywork-prm": _skywork,
    "math-shepherd": _shepherd,
    "rlhflow-prm": _rlhflow,
}


def save(name: str, folder: Path) -> Path:
    """Write a checkpoint whose weights are large enough for rewards to differ."""
    torch.manual_seed(0)
    model, tokenizer = BUILDERS[name]()
    with torch.no_grad():
        for weight in model.parameters():
            weight.mul_(4.0)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder
