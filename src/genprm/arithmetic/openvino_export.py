"""A checkpoint folder of ours gains the OpenVINO model and tokenizers that GenAI loads at once.

GenAI itself builds them from a GGUF file, so the conversion needs no second framework.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from genprm.arithmetic.gguf_export import to_gguf


def add_openvino(folder: Path) -> None:
    """Write openvino_model, openvino_tokenizer and openvino_detokenizer into `folder`."""
    import openvino_genai

    with tempfile.TemporaryDirectory() as scratch:
        source = Path(scratch) / "model.gguf"
        to_gguf(folder, source)
        openvino_genai.LLMPipeline(source, "CPU", enable_save_ov_model=True)
        for made in Path(scratch).glob("openvino_*"):
            (folder / made.name).write_bytes(made.read_bytes())
    _sharpen_rotations(folder)


def _sharpen_rotations(folder: Path) -> None:
    """Put the exact frequencies of the rotary embedding into the saved model.

    GenAI saves them as float16, as it does the weights. But a phase is a frequency times a
    position: at position 3000 it is off by 0.4 radians, and every engine but this one is right.
    """
    import openvino

    file = folder / "openvino_model.xml"
    model = openvino.Core().read_model(file)
    frequencies = _rotary_frequencies(json.loads((folder / "config.json").read_text("utf-8")))
    exact = openvino.opset13.constant(frequencies)
    for node in model.get_ops():
        if node.get_type_name() == "Constant" and list(node.shape) == list(frequencies.shape):
            (widening,) = (use.get_node() for use in node.output(0).get_target_inputs())
            for use in widening.output(0).get_target_inputs():
                use.replace_source_output(exact.output(0))
    with tempfile.TemporaryDirectory() as scratch:  # the weights are still mapped from the folder
        saved = Path(scratch) / file.name
        openvino.save_model(model, saved, compress_to_fp16=False)
        del model
        for made in Path(scratch).iterdir():
            (folder / made.name).write_bytes(made.read_bytes())


def _rotary_frequencies(config: dict[str, Any]) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Radians a position, [1, head size / 2, 1]."""
    size = config["hidden_size"] // config["num_attention_heads"]
    theta = (config.get("rope_parameters") or config)["rope_theta"]
    frequencies: np.ndarray[Any, np.dtype[np.float32]] = np.power(
        np.float64(theta), -np.arange(0, size, 2) / size
    ).astype(np.float32)
    return frequencies.reshape(1, -1, 1)
