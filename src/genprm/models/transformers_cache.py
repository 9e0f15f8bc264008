"""Keys and values of many sequences of different lengths: batched, regrouped, and kept.

A batch is padded on the left, so that all its sequences end at the same column. A sequence that
leaves is cut out without its padding and kept for the next prompt that begins with the same tokens,
such as the next turn of a judgement or another vote on the same step.
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import torch
from torch import Tensor
from torch.nn.functional import pad
from transformers.cache_utils import DynamicCache

Layers: TypeAlias = list[tuple[Tensor, Tensor]]
"""Keys and values of each layer, each [sequences, heads, tokens, head size]."""


@dataclass
class SequenceCache:
    """The cache of a batch. `mask` [sequences, tokens] is 1 for tokens and 0 for padding."""

    cache: DynamicCache
    mask: Tensor

    @property
    def layers(self) -> Layers:
        """The tensors of the cache."""
        found: Layers = []
        for layer in self.cache.layers:
            keys, values = getattr(layer, "keys", None), getattr(layer, "values", None)
            if keys is None or values is None:
                raise ValueError("layers without keys and values are not supported; use vLLM")
            found.append((keys, values))
        return found

    @classmethod
    def stack(cls, rows: Sequence[Layers | None], like: Tensor) -> "SequenceCache":
        """A batch of kept sequences; None is an empty one. `like` gives the mask's device."""
        lengths = [0 if row is None else row[0][0].shape[-2] for row in rows]
        width = max(lengths)
        mask = torch.zeros(len(rows), width, dtype=torch.long, device=like.device)
        for index, length in enumerate(lengths):
            mask[index, width - length :] = 1
        if width == 0:
            return cls(DynamicCache(), mask)
        shaped = next(row for row in rows if row is not None)
        layers: Layers = []
        for number, pair in enumerate(shaped):
            keys, values = (
                torch.cat(
                    [
                        tensor.new_zeros(1, tensor.shape[1], width, tensor.shape[3])
                        if row is None
                        else _pad_left(row[number][part], width)
                        for row in rows
                    ]
                )
                for part, tensor in enumerate(pair)
            )
            layers.append((keys, values))
        return cls(DynamicCache(layers), mask)

    def packed(self) -> "SequenceCache":
        """The same sequences without padding inside them, which arises when tokens are appended.

        The keys contain their positions, so columns may be moved.
        """
        order = self.mask.argsort(dim=1, stable=True)  # padding first, tokens in their order
        places = order[:, None, :, None]
        layers = [
            (torch.take_along_dim(k, places, 2), torch.take_along_dim(v, places, 2))
            for k, v in self.layers
        ]
        return SequenceCache(DynamicCache(layers), self.mask.gather(1, order))

    def pick(self, indices: Sequence[int]) -> "SequenceCache":
        """The sequences at `indices`, which may repeat, without columns of padding alone."""
        chosen = torch.tensor(indices, device=self.mask.device)
        mask = self.mask[chosen]
        start = self.mask.shape[1] - int(mask.sum(1).max())
        layers = [(k[chosen, :, start:], v[chosen, :, start:]) for k, v in self.layers]
        return SequenceCache(DynamicCache(layers), mask[:, start:])

    def join(self, others: "SequenceCache") -> "SequenceCache":
        """Both batches as one."""
        width = max(self.mask.shape[1], others.mask.shape[1])
        layers = [
            (
                torch.cat([_pad_left(k, width), _pad_left(other_k, width)]),
                torch.cat([_pad_left(v, width), _pad_left(other_v, width)]),
            )
            for (k, v), (other_k, other_v) in zip(self.layers, others.layers, strict=True)
        ]
        masks = [pad(rows.mask, (width - rows.mask.shape[1], 0)) for rows in (self, others)]
        return SequenceCache(DynamicCache(layers), torch.cat(masks))

    def cut_out(self, index: int) -> Layers:
        """A copy of one sequence without its padding."""
        length = int(self.mask[index].sum())
        return [
            (k[index : index + 1, :, -length:].clone(), v[index : index + 1, :, -length:].clone())
            for k, v in self.layers
        ]


class PrefixStore:
    """Sequences that left the batch; beyond `max_bytes`, the least recently used are dropped."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._bytes = 0
        self._kept: OrderedDict[tuple[int, ...], Layers] = OrderedDict()

    def put(self, tokens: Sequence[int], layers: Layers) -> None:
        """Keep the sequence of `tokens`, and drop those that are prefixes of it."""
        key = tuple(tokens)
        if any(kept[: len(key)] == key for kept in self._kept):
            return
        for other in [kept for kept in self._kept if key[: len(kept)] == kept]:
            self._drop(other)
        self._kept[key] = layers
        self._bytes += _bytes_of(layers)
        while self._bytes > self._max_bytes:
            self._drop(next(iter(self._kept)))

    def longest_prefix(self, tokens: Sequence[int]) -> tuple[int, Layers | None]:
        """How many of the first `tokens` are kept, and their keys and values.

        The last token is never included, because a model needs one token to predict the next.
        """
        best, found = 0, None
        for kept in self._kept:
            length = _common(kept, tokens)
            if length > best:
                best, found = length, kept
        best = min(best, len(tokens) - 1)
        if found is None or best == 0:
            return 0, None
        self._kept.move_to_end(found)
        return best, [(k[:, :, :best], v[:, :, :best]) for k, v in self._kept[found]]

    def _drop(self, key: tuple[int, ...]) -> None:
        self._bytes -= _bytes_of(self._kept.pop(key))


def _common(left: Sequence[int], right: Sequence[int]) -> int:
    for index, (a, b) in enumerate(zip(left, right, strict=False)):
        if a != b:
            return index
    return min(len(left), len(right))


def _pad_left(tensor: Tensor, width: int) -> Tensor:
    return pad(tensor, (0, 0, width - tensor.shape[2], 0))


def _bytes_of(layers: Layers) -> int:
    return sum(k.nbytes + v.nbytes for k, v in layers)
