"""A checkpoint folder of ours gains the OpenVINO model and tokenizers that GenAI loads at once.

GenAI itself builds them from a GGUF file, so the conversion needs no second framework.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

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
