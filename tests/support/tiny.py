"""A base model of a few thousand weights, with a byte-level tokenizer and a ChatML template."""

from pathlib import Path
from typing import Any

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

from genprm.records.chats import Chat

QWEN2_SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
CHATML = (
    "{%- for message in messages -%}"
    "{{ '<|im_start|>' + message.role + '\n' + message.content + '<|im_end|>\n' }}"
    "{%- endfor -%}"
)


def bpe(texts: list[str]) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(QWEN2_SPLIT), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=600,
        special_tokens=["<|endoftext|>", "<|im_start|>", "<|im_end|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def wrapped(tokenizer: Tokenizer, template: str = CHATML) -> Any:
    from transformers import PreTrainedTokenizerFast

    fast: Any = PreTrainedTokenizerFast
    return fast(
        tokenizer_object=tokenizer,
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
        clean_up_tokenization_spaces=False,
        chat_template=template,
    )


def make_base(folder: Path, texts: list[str]) -> Path:
    import torch
    from transformers import Qwen2Config, Qwen2ForCausalLM

    tokenizer = bpe(texts)
    torch.manual_seed(0)
    shape = Qwen2Config(
        vocab_size=tokenizer.get_vocab_size(),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        max_position_embeddings=4096,
        tie_word_embeddings=True,
        eos_token_id=2,
        pad_token_id=0,
    )
    Qwen2ForCausalLM(shape).save_pretrained(folder)
    wrapped(tokenizer).save_pretrained(folder)
    return folder


def chat(*steps: str, system: str = "Review it.") -> Chat:
    """A chat with one executed block a step, in the shape that `genprm curate` writes."""
    messages = [{"role": "system", "content": system}]
    pieces = [[{"author": "user", "characters": len(system)}]]
    for number, step in enumerate(steps, start=1):
        turn = [
            ("driver", f"<analyze>\nLet's analyze the Paragraph {number} step by step: "),
            ("model", f"First, {step} is said.\n</analyze>\n"),
            ("driver", "<verify>\nLet's use python code to find any potential error:\n```python\n"),
            ("model", f"print({number} + 1)\n```\n"),
            ("sandbox", f"[Code Output]\n\n```\n{number + 1}\n```\n"),
            ("model", "It holds.\n</verify>\n"),
            ("driver", "<output>\n**Judgement**: $\\boxed{"),
            ("model", "Yes"),
            ("driver", "}$\n</output>\n"),
        ]
        messages.append({"role": "user", "content": step})
        pieces.append([{"author": "user", "characters": len(step)}])
        messages.append({"role": "assistant", "content": "".join(text for _, text in turn)})
        pieces.append([{"author": author, "characters": len(text)} for author, text in turn])
    return Chat.model_validate({"messages": messages, "pieces": pieces})


def write_chats(file: Path, count: int) -> Path:
    rows = [
        chat(*(f"Step {n}: {k} + {n} = {k + n}." for n in range(1, 2 + k % 3)))
        for k in range(count)
    ]
    file.write_text("".join(row.line().decode() for row in rows))
    return file


TEXTS = [message.content for message in chat("Step 1: 1 + 1 = 2.", "So it is 2.").messages]
