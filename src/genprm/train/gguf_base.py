"""A GGUF file as a base: dequantised once into a Hugging Face folder with a clean configuration.

transformers reads GGUF, but such a model cannot be saved directly, because its configuration says
that the weights are still quantised, and its tokenizer splits text like GPT-2's, whatever the file
says. Both are corrected here.
"""

import shutil
from pathlib import Path
from typing import Any

from genprm.errors import InputError
from genprm.gguf_header import OUR_WEIGHTS, is_ours, read_header

_GPT2_WORDS = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
_WORDS = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}%s"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
_SPLITS = {
    "gpt-2": (_GPT2_WORDS,),
    "smollm": (r"\p{N}", _GPT2_WORDS),
    "qwen2": (_WORDS % "",),
    "llama-bpe": (_WORDS % "{1,3}",),
}
"""How a tokenizer splits text into words before it merges, by llama.cpp's `tokenizer.ggml.pre`."""


def gguf_file(base: str) -> Path | None:
    """The GGUF file that a recipe's `base` names, directly or as the folder of a shipped model."""
    if base.endswith(".gguf"):
        return Path(base)
    folder = Path(base)
    needed = is_ours(folder) and not (folder / "model.safetensors").is_file()
    return folder / OUR_WEIGHTS if needed else None


def write_folder(file: Path, folder: Path) -> Path:
    """Write the model of a GGUF file to `folder`, unless it is there already.

    Several processes of one training may call this: one of them writes, and the others wait.

    Raises:
        InputError: it is not a GGUF file, or its model or tokenizer is not supported.
    """
    from filelock import FileLock

    if not file.is_file():
        raise InputError(f"base {file}: there is no such file; fix: name the path of a GGUF file")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{folder}.lock"):
        if not folder.is_dir():
            draft = folder.with_name(f"{folder.name}.draft")
            shutil.rmtree(draft, ignore_errors=True)
            _convert(file, draft)
            draft.replace(folder)
    return folder


def _convert(file: Path, folder: Path) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(file.parent, gguf_file=file.name)
        _split_words(tokenizer, file)
        read: Any = AutoModelForCausalLM.from_pretrained(
            file.parent, gguf_file=file.name, dtype="float32"
        )
    except InputError:
        raise
    except Exception as error:  # noqa: BLE001 - struct, index and key errors too: it reads what is there
        cause = " ".join(str(error).split())[:200] or type(error).__name__
        raise InputError(
            f"base {file}: cannot be read ({cause}); "
            "fix: name a whole GGUF file of an architecture "
            "that transformers reads, or the model's Hugging Face folder"
        ) from None
    _with_clean_configuration(read).save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def _with_clean_configuration(read: Any) -> Any:
    """The same weights in a model whose configuration does not mention GGUF."""
    from transformers import AutoConfig, AutoModelForCausalLM

    plain = read.config.to_dict()
    for key in ("quantization_config", "_name_or_path", "_model_name_or_path"):
        plain.pop(key, None)
    plain["architectures"] = [type(read).__name__]
    model: Any = AutoModelForCausalLM.from_config(AutoConfig.for_model(**plain))  # type: ignore[no-untyped-call]
    model.load_state_dict(read.state_dict())
    model.generation_config = read.generation_config
    return model.eval()


def _split_words(tokenizer: Any, file: Path) -> None:
    """Make a byte-level tokenizer split text like the one with which the model was trained.

    Raises:
        InputError: its way of splitting text is not known.
    """
    from tokenizers import Regex, pre_tokenizers

    fields = read_header(file).fields
    if fields.get("tokenizer.ggml.model") != "gpt2":  # SentencePiece splits nothing
        return
    kind = str(fields.get("tokenizer.ggml.pre", "gpt-2"))
    if kind not in _SPLITS:
        raise InputError(
            f"base {file}: its tokenizer splits text by the rule {kind!r}, which is not supported; "
            "fix: name the model's Hugging Face folder"
        )
    splits = [
        pre_tokenizers.Split(Regex(pattern), behavior="isolated") for pattern in _SPLITS[kind]
    ]
    byte_level = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.backend_tokenizer.pre_tokenizer = pre_tokenizers.Sequence([*splits, byte_level])
