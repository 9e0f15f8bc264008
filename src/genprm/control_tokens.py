"""Spells control tokens in foreign text so that no tokenizer reads them as control tokens.

A prompt is rendered to text, and a tokenizer turns `<|im_end|>` into one control token wherever
it occurs. In a problem, a step or the output of code it would open and close chat turns. So a
space is put after the first character of each such string before it is added to a prompt:
`< |im_end|>` says the same to a reader and is plain text to every tokenizer.

Control tokens are the special tokens of the model's own tokenizer, the markers that its chat
template writes (also those in plain text, see `models.role_markers`), and the patterns of known
model families, since a server does not report its list.
"""

import re
from collections.abc import Iterable

_FAMILIES = (
    r"<[|｜][^\s<>|｜][^<>|｜\n]{0,60}[|｜]>",  # ChatML, Llama 3, Phi, harmony, DeepSeek
    r"<\|[a-z_]{1,40}>",  # Gemma 4: <|turn>, <|channel>
    r"<[a-z_]{1,40}\|>",  # and their ends: <turn|>
    r"</?(?:s|unk|pad|bos|eos|mask|cls|sep|sop|eop|eod|eoh|eoa|eot|think|analysis_think|AI"
    r"|human|bot|role|answer_start|extra_token|用户)>",
    r"<_(?:user|bot|system|start|end|pad|unk|observation)>",  # TeleChat
    r"<(?:BOS|EOS|PAD|UNK|CLS|SEP|MASK|EOP)_?(?:TOKEN)?>",  # Command R
    r"</?(?:tool_call|tool_response|tools|function_calls|tool_calls)>",
    r"</?(?:start|end|begin)_of_[a-z_]{1,30}>",  # Gemma
    r"</?(?:fim|repo|file|filename|reponame|jupyter|issue|commit)_[a-z_]{1,30}>",  # code
    r"▁?<(?:PRE|SUF|MID|EOT)>",
    r"<(?:unused|reserved|extra_id_|extra_|image|audio|video|special_?|SPECIAL_|dummy|control_?)"
    r"_?:?\d{1,6}>",
    r"</?(?:seed|hy|mask|longcat)[:_][^\s<>]{1,40}>",  # Seed, Hunyuan, ERNIE, LongCat
    r"</?(?:img|image|IMG_CONTEXT|ref|box|quad|image_soft_token|fake_token_around_image)>",
    r"<0x[0-9a-f]{2}>",  # SentencePiece bytes
    r"<</?SYS>>",  # Llama 2
    r">>(?:QUESTION|ANSWER|TITLE|ABSTRACT|INTRODUCTION|SUMMARY|COMMENT|DOMAIN|PREFIX|SUFFIX"
    r"|MIDDLE)<<",  # Falcon
    r"\[\|[a-z_]{1,40}\|\]",  # EXAONE
    r"\]~!?b\[|\]~b\]|\[e~\[",  # MiniMax
    r"\[/?(?:INST|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_RESULTS|TOOL_CONTENT|THINK|IMG|PREFIX|MIDDLE"
    r"|SUFFIX|gMASK|sMASK|MASK|BOS|EOS|PAD|UNK|CLS|SEP|AUDIO|BEGIN_AUDIO|TRANSCRIBE)\]",
    r"\[(?:TOOL_CALLS|CALL_ID|ARGS|MODEL_SETTINGS|IMG_BREAK|IMG_END)\]",  # Mistral, GLM, BERT
    r"\[(?:UNUSED_TOKEN_|unused|control_)\d{1,6}\]",  # InternLM 2, BERT
)


class ControlTokens:
    """The strings that must not get into one model's prompts from foreign text."""

    def __init__(self, tokens: Iterable[str] = (), role_markers: Iterable[str] = ()) -> None:
        own = sorted({token for token in tokens if _can_be_split(token)}, key=len, reverse=True)
        plain = map(_pattern, sorted(set(role_markers), key=len, reverse=True))
        self._tokens = re.compile(
            "|".join([*map(re.escape, own), *_FAMILIES, *plain]), re.IGNORECASE
        )

    def literal(self, text: str) -> str:
        """`text` with its control tokens made plain text; without any, it is returned as it is."""
        while (spaced := self._tokens.sub(_spaced, text)) != text:
            text = spaced
        return text

    def removed(self, text: str) -> str:
        """`text` with its control tokens taken out."""
        return self._tokens.sub("", text)


def _spaced(found: re.Match[str]) -> str:
    token = found[0]
    return f"{token[0]} {token[1:]}"


def _can_be_split(token: str) -> bool:
    """Whether a space after its first character makes it another string.

    White space and single characters (some tokenizers list them as added tokens) are text.
    """
    return len(token.strip()) > 1 and token == token.strip() and not token.isalnum()


def _pattern(marker: str) -> str:
    """A pattern that finds the marker with any spacing and any number.

    With a space after its first character it is another text, so the pattern allows none there.
    """
    if re.match(r".[\s:：]", marker):
        spaced = re.escape(marker)
    else:
        spaced = r"[ \t]*".join(map(re.escape, marker.split()))
        spaced = re.sub("([:：])", r"[ \\t]*\1", spaced)
    spaced = re.sub(r"\d+", r"\\d{1,6}", spaced)
    return rf"(?<!\w){spaced}" if marker[0].isalnum() else spaced
