"""A transformers model as a batch for the engine thread: continuous batching on one device."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import torch
from torch import Tensor

from genprm.models.transformers_cache import PrefixStore, SequenceCache

if TYPE_CHECKING:
    from transformers import PreTrainedModel


class Reader(Protocol):
    """Reads the distribution of a request's next token."""

    def read(self, logits: Tensor) -> int | None:
        """Take logits [vocabulary] and return the token to continue with, or None at the end."""
        ...


@dataclass
class BatchSequence:
    """One sequence: its prompt and the tokens generated after it."""

    tokens: list[int]
    reader: Reader
    tokens_cached: int = 0
    is_over: bool = False
    fault: Exception | None = field(default=None, repr=False)


class TransformersBatch:
    """At most `max_rows` sequences advance together; others wait for a place.

    Sequences can join at any step. Their prompts are computed as a separate batch, without the part
    that `prefixes` already holds, and equal prompts only once.
    """

    def __init__(self, model: "PreTrainedModel", prefixes: PrefixStore, max_rows: int) -> None:
        self._model = model
        self._prefixes = prefixes
        self._max_rows = max_rows
        self._waiting: list[BatchSequence] = []
        self._active: list[BatchSequence] = []
        self._rows: SequenceCache | None = None

    def add(self, row: BatchSequence) -> None:
        """Put a sequence into the batch, or into the queue for it."""
        self._waiting.append(row)

    def step(self) -> None:
        """See `Batch.step`: one token for every sequence, prompts of new ones included."""
        self._leave()
        with torch.inference_mode():
            if self._active:
                self._decode()
            joining = [row for row in self._waiting if not row.is_over]
            joining = joining[: self._max_rows - len(self._active)]
            self._waiting = [row for row in self._waiting if row not in joining and not row.is_over]
            if joining:
                self._prefill(joining)
        self._leave()

    def close(self) -> None:
        """See `Batch.close`."""
        self._waiting, self._active, self._rows = [], [], None

    def _decode(self) -> None:
        assert self._rows is not None
        last = torch.tensor([[row.tokens[-1]] for row in self._active], device=self._model.device)
        logits = self._forward(self._rows, last, torch.ones_like(last))
        _read(self._active, logits)

    def _prefill(self, joining: list[BatchSequence]) -> None:
        prompts = list(dict.fromkeys(tuple(row.tokens) for row in joining))
        found = [self._prefixes.longest_prefix(prompt) for prompt in prompts]
        rest = [prompt[length:] for prompt, (length, _) in zip(prompts, found, strict=True)]
        ids, mask = _pad(rest, self._model.device)
        rows = SequenceCache.stack([layers for _, layers in found], like=ids)
        logits = self._forward(rows, ids, mask)
        places = [prompts.index(tuple(row.tokens)) for row in joining]
        for row, place in zip(joining, places, strict=True):
            row.tokens_cached = found[place][0]
        rows = rows.packed().pick(places)
        self._rows = rows if self._rows is None else self._rows.join(rows)
        self._active += joining
        _read(joining, logits[places])

    def _forward(self, rows: SequenceCache, ids: Tensor, mask: Tensor) -> Tensor:
        """Logits [sequences, vocabulary] after `ids`; `rows` grows by them."""
        before = rows.mask.sum(1, keepdim=True)
        rows.mask = torch.cat([rows.mask, mask], dim=1)
        output = self._model(
            input_ids=ids,
            attention_mask=rows.mask,
            position_ids=(before + mask.cumsum(1) - 1).clamp(min=0),
            past_key_values=rows.cache,
            use_cache=True,
            logits_to_keep=1,
        )
        logits: Tensor = output.logits[:, -1].float()
        return logits

    def _leave(self) -> None:
        """Remove finished sequences from the batch, and keep what they computed."""
        staying = [index for index, row in enumerate(self._active) if not row.is_over]
        if len(staying) == len(self._active) or self._rows is None:
            return
        for index, row in enumerate(self._active):
            if row.is_over:
                layers = self._rows.cut_out(index)
                self._prefixes.put(row.tokens[: layers[0][0].shape[2]], layers)
        self._active = [self._active[index] for index in staying]
        self._rows = self._rows.pick(staying) if staying else None


def _read(rows: Sequence[BatchSequence], logits: Tensor) -> None:
    for row, scores in zip(rows, logits, strict=True):
        try:
            token = row.reader.read(scores)
        except Exception as error:  # noqa: BLE001 - it ends this sequence and no other
            row.fault, token = error, None
        if token is None:
            row.is_over = True
        else:
            row.tokens.append(token)


def _pad(rows: Sequence[Sequence[int]], device: torch.device) -> tuple[Tensor, Tensor]:
    """Token ids and mask [sequences, longest], padded on the left."""
    width = max(len(row) for row in rows)
    ids = torch.zeros(len(rows), width, dtype=torch.long)
    mask = torch.zeros(len(rows), width, dtype=torch.long)
    for index, row in enumerate(rows):
        ids[index, width - len(row) :] = torch.tensor(row)
        mask[index, width - len(row) :] = 1
    return ids.to(device), mask.to(device)
