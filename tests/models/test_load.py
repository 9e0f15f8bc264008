"""Which engine a name means."""

from pathlib import Path
from typing import Any

import pytest

from genprm.models import load


@pytest.mark.parametrize(
    ("name", "has_gpu", "engine"),
    [("{}", True, "vllm"), ("{}", False, "transformers"), ("vllm:{}", False, "vllm")],
)
def test_vllm_is_taken_for_a_folder_only_with_a_gpu_and_always_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, has_gpu: bool, engine: str
) -> None:
    (tmp_path / "config.json").write_text("{}")
    monkeypatch.setattr(load, "find_spec", lambda module: object())
    monkeypatch.setattr(load, "_has_gpu", lambda: has_gpu)
    monkeypatch.setattr(load, "_vllm", lambda *_: "vllm")
    pytest.importorskip("transformers")
    from genprm.models import transformers_model

    def transformers(*_: Any, **__: Any) -> str:
        return "transformers"

    monkeypatch.setattr(transformers_model, "Transformers", transformers)
    assert str(load.load_model(name.format(tmp_path))) == engine
