"""Sequences of a batch keep all their tokens, however much longer others are."""

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from transformers.cache_utils import DynamicCache  # noqa: E402

from genprm.models.transformers_cache import SequenceCache  # noqa: E402


def test_padding_inside_a_sequence_pushes_no_token_out() -> None:
    """A long kept prefix with a short rest, beside a short one with a long rest."""
    mask = torch.tensor([[1, 1, 1, 0, 0, 1], [0, 0, 1, 1, 1, 1]])
    numbers = torch.arange(12.0).reshape(2, 1, 6, 1)
    rows = SequenceCache(DynamicCache([(numbers, numbers)]), mask).packed()
    assert rows.mask.tolist() == [[0, 0, 1, 1, 1, 1], [0, 0, 1, 1, 1, 1]]
    picked = rows.pick([0, 1])
    assert picked.mask.tolist() == [[1] * 4] * 2
    for index, kept in enumerate(([0, 1, 2, 5], [8, 9, 10, 11])):
        ((keys, values),) = picked.cut_out(index)
        assert keys.flatten().tolist() == values.flatten().tolist() == kept
