"""The hash of weights: equal for equal contents, different after any change that it can see."""

from pathlib import Path

import pytest

from genprm.errors import InputError
from genprm.models import weights
from genprm.models.load import load_model
from genprm.models.weights import hash_weights


def test_the_same_contents_have_the_same_hash_wherever_they_lie(tmp_path: Path) -> None:
    first, second = tmp_path / "a.bin", tmp_path / "b.bin"
    first.write_bytes(b"weights")
    second.write_bytes(b"weights")
    assert hash_weights([first]) == hash_weights([second])
    second.write_bytes(b"Weights")
    assert hash_weights([first]) != hash_weights([second])


def test_a_large_file_is_told_apart_by_size_header_and_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(weights, "WHOLE", 2**20)
    file = tmp_path / "large.safetensors"
    header = b'{"layer": "f16"}'
    body = bytes(3 * 2**20)
    contents = len(header).to_bytes(8, "little") + header + body
    file.write_bytes(contents)
    before = hash_weights([file])
    changed = [contents.replace(b"f16", b"f32"), contents[:-1] + b"x", contents + b"x"]
    for other in changed:
        file.write_bytes(other)
        assert hash_weights([file]) != before


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"gone\.bin: cannot read it"):
        hash_weights([tmp_path / "gone.bin"])


def test_the_shipped_models_differ_in_weights_only() -> None:
    verifier, policy = load_model("arithmetic").identity, load_model("arithmetic/policy").identity
    assert (verifier.name, policy.name) == ("arithmetic", "arithmetic/policy")
    assert verifier.engine == policy.engine == "openvino"
    assert verifier.engine_version
    assert verifier.weights != policy.weights
    assert verifier.template == policy.template
