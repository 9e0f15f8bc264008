r"""A small byte-level BPE whose tokens line up with what has to be copied.

The pre-tokenizer is Qwen2's, so that every engine has it (`qwen2` in llama.cpp). The merges are
learned under a finer split: no merge joins letters with punctuation, a space joins neither a
capital nor a digit, brackets and signs stay alone. So a number, a name or a bracket is the same
token wherever it stands, and text can be cut at the driver's boundaries without changing tokens.
"""

from __future__ import annotations

from collections.abc import Iterable

from tokenizers import (
    AddedToken,
    Regex,
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    trainers,
)

from training.arithmetic.chats import TURN_CLOSE, TURN_OPEN

VOCABULARY = 1024
PADDING = "<|endoftext|>"
SPECIAL = (PADDING, TURN_OPEN, TURN_CLOSE)

QWEN2_SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
FINER_SPLIT = r"'s| ?\p{Ll}+|\p{Lu}\p{Ll}*|\p{N}| [-+*/=(\[]|```|\*\*|\n\n|[^\p{L}\p{N}]"

CHAT_TEMPLATE = (
    "{%- for message in messages -%}"
    "{%- if message.role == 'assistant' -%}{{ message.content }}"
    "{%- else -%}{{ '<|im_start|>' + message.role + '\n' + message.content }}{%- endif -%}"
    "{{ '<|im_end|>\n' }}"
    "{%- endfor -%}"
)


def learn_tokenizer(texts: Iterable[str]) -> Tokenizer:
    """A tokenizer whose merges are learned from `texts`."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = _pre_tokenizer(FINER_SPLIT)
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=[AddedToken(token, special=True, normalized=False) for token in SPECIAL],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator((_without_markers(text) for text in texts), trainer)
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = _pre_tokenizer(QWEN2_SPLIT)
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def _pre_tokenizer(split: str) -> pre_tokenizers.PreTokenizer:
    return pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(split), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )


def _without_markers(text: str) -> str:
    return text.replace(TURN_OPEN, "").replace(TURN_CLOSE, "")
