"""Writes one of our checkpoint folders as the single GGUF file that every engine reads.

OpenVINO GenAI, llama.cpp and transformers load it; their verdicts and logits are those of the
checkpoint.
"""

from __future__ import annotations

import json
from pathlib import Path

import gguf
import torch
from pydantic import BaseModel
from safetensors.torch import load_file

from genprm.gguf_header import OUR_NAME

ARCHITECTURE = "qwen2"

OUTSIDE = {
    "model.embed_tokens.weight": "token_embd.weight",
    "model.norm.weight": "output_norm.weight",
}
INSIDE = {
    "input_layernorm": "attn_norm",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "post_attention_layernorm": "ffn_norm",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}


def to_gguf(folder: Path, target: Path) -> None:
    """Write the model in `folder` (config, safetensors, tokenizer.json) to the file `target`."""
    writer = gguf.GGUFWriter(target, ARCHITECTURE)
    _write_shape(writer, _Shape.model_validate_json((folder / "config.json").read_bytes()))
    _write_tokenizer(writer, folder)
    for name, weights in load_file(folder / "model.safetensors").items():
        # llama.cpp keeps vectors (norms, biases) in float32.
        kind = torch.float16 if weights.ndim == 2 else torch.float32
        writer.add_tensor(tensor_name(name), weights.to(kind).numpy())
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def tensor_name(name: str) -> str:
    """The GGUF name of a Qwen2 tensor."""
    if name in OUTSIDE:
        return OUTSIDE[name]
    _, _, layer, *module, kind = name.split(".")
    return f"blk.{layer}.{INSIDE['.'.join(module)]}.{kind}"


class _Rope(BaseModel):
    rope_theta: float


class _Shape(BaseModel):
    """What `config.json` says of a model's shape."""

    max_position_embeddings: int
    hidden_size: int
    num_hidden_layers: int
    intermediate_size: int
    num_attention_heads: int
    num_key_value_heads: int
    rms_norm_eps: float
    rope_parameters: _Rope
    vocab_size: int


def _write_shape(writer: gguf.GGUFWriter, shape: _Shape) -> None:
    writer.add_name(OUR_NAME)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_F16)
    writer.add_context_length(shape.max_position_embeddings)
    writer.add_embedding_length(shape.hidden_size)
    writer.add_block_count(shape.num_hidden_layers)
    writer.add_feed_forward_length(shape.intermediate_size)
    writer.add_head_count(shape.num_attention_heads)
    writer.add_head_count_kv(shape.num_key_value_heads)
    writer.add_layer_norm_rms_eps(shape.rms_norm_eps)
    writer.add_rope_freq_base(shape.rope_parameters.rope_theta)
    writer.add_vocab_size(shape.vocab_size)


def _write_tokenizer(writer: gguf.GGUFWriter, folder: Path) -> None:
    tokenizer = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
    vocabulary: dict[str, int] = tokenizer["model"]["vocab"]
    special = {token["id"] for token in tokenizer["added_tokens"]}
    tokens = sorted(vocabulary, key=vocabulary.__getitem__)
    kinds = [
        gguf.TokenType.CONTROL if index in special else gguf.TokenType.NORMAL
        for index in range(len(tokens))
    ]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("qwen2")
    writer.add_token_list(tokens)
    writer.add_token_types(kinds)
    writer.add_token_merges([" ".join(pair) for pair in tokenizer["model"]["merges"]])
    writer.add_eos_token_id(2)
    writer.add_pad_token_id(0)
    writer.add_add_bos_token(False)
    writer.add_chat_template((folder / "chat_template.jinja").read_text(encoding="utf-8"))
