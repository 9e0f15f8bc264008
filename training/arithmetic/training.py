"""Training a small language model on chats, on CPUs, within a given time.

The schedule follows the clock: the learning rate rises, stays, and falls to zero over the last
quarter of the minutes, so a run ends well on any machine. It can be stopped and started again.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from tokenizers import Tokenizer
from torch import Tensor
from torch.nn import functional
from transformers import Qwen2Config, Qwen2ForCausalLM

from training.arithmetic.chats import Piece
from training.arithmetic.muon import Muon

IGNORED = -100
POOL = 512  # chats sorted by length together, so that batches need little padding
LONGEST = 2560  # tokens; longer chats are left out
CONTEXT = 4096
CHECKPOINT = "checkpoint.pt"
LONGEST_UPDATE = 20.0  # seconds; a machine that slept meanwhile has not trained

Chats = Callable[[int], list[Piece]]  # chat number i of the training stream


@dataclass(frozen=True, slots=True)
class Recipe:
    """Size and schedule of one training."""

    hidden: int = 256
    layers: int = 4
    feed_forward: int = 768
    minutes: float = 60.0
    batch_tokens: int = 4096  # a worker
    peak: float = 2.4e-3  # learning rate
    warmup: float = 0.02  # shares of the time
    decay: float = 0.3
    seed: int = 0
    save_minutes: float = 4.0


def build_model(recipe: Recipe, vocabulary: int) -> Qwen2ForCausalLM:
    """A fresh Qwen2 with heads of 64 and half as many key-value heads."""
    torch.manual_seed(recipe.seed)
    heads = recipe.hidden // 64
    return Qwen2ForCausalLM(
        Qwen2Config(
            vocab_size=vocabulary,
            hidden_size=recipe.hidden,
            intermediate_size=recipe.feed_forward,
            num_hidden_layers=recipe.layers,
            num_attention_heads=heads,
            num_key_value_heads=max(1, heads // 2),
            max_position_embeddings=CONTEXT,
            rope_parameters={"rope_type": "default", "rope_theta": 10_000.0},
            tie_word_embeddings=True,
            bos_token_id=None,
            pad_token_id=0,
            eos_token_id=2,
        )
    )


@dataclass(frozen=True, slots=True)
class Encoded:
    """One chat as token ids and the same ids where they are learned, IGNORED elsewhere."""

    ids: list[int]
    labels: list[int]


def encode(chat: list[Piece], tokenizer: Tokenizer) -> Encoded:
    """The chat piece by piece; the tokenizer's merges never cross the pieces' borders."""
    ids: list[int] = []
    labels: list[int] = []
    for piece in chat:
        tokens = tokenizer.encode(piece.text).ids
        ids += tokens
        labels += tokens if piece.learned else [IGNORED] * len(tokens)
    return Encoded(ids, labels)


def batches(
    chats: Chats, tokenizer: Tokenizer, recipe: Recipe, start: int = 0
) -> Iterator[tuple[int, Tensor, Tensor]]:
    """Endless batches of chats of like length: (chats drawn so far, ids [B, T], labels [B, T]).

    Workers take turns along the sorted chats, so that their batches cost the same time.
    """
    drawn = start
    rank, workers = _rank_and_workers()
    while True:
        pool = [encode(chats(number), tokenizer) for number in range(drawn, drawn + POOL)]
        drawn += POOL
        pool = sorted(
            (chat for chat in pool if len(chat.ids) <= LONGEST), key=lambda chat: len(chat.ids)
        )
        rows = list(_rows(pool, recipe.batch_tokens))
        alike = [rows[index : index + workers] for index in range(0, len(rows), workers)]
        random.Random(f"{recipe.seed} {drawn}").shuffle(alike)
        for row in (group[rank] for group in alike if len(group) == workers):
            yield drawn, _padded([c.ids for c in row], 0), _padded([c.labels for c in row], IGNORED)


def _rows(pool: list[Encoded], tokens: int) -> Iterator[list[Encoded]]:
    row: list[Encoded] = []
    for chat in pool:
        if row and len(chat.ids) * (len(row) + 1) > tokens:
            yield row
            row = []
        row.append(chat)
    yield row


def _padded(rows: list[list[int]], filler: int) -> Tensor:
    width = max(map(len, rows))
    return torch.tensor([row + [filler] * (width - len(row)) for row in rows])


def learning_rate(recipe: Recipe, progress: float) -> float:
    """The rate at a share of the time: up, level, then down to zero in a straight line."""
    rise = min(1.0, progress / recipe.warmup) if recipe.warmup else 1.0
    fall = min(1.0, max(0.0, 1.0 - progress) / recipe.decay) if recipe.decay else 1.0
    return recipe.peak * min(rise, fall)


def optimizers(model: Qwen2ForCausalLM, recipe: Recipe) -> list[torch.optim.Optimizer]:
    """Muon for the matrices inside, AdamW for embeddings, biases and norms."""
    inside = [p for n, p in model.named_parameters() if p.ndim == 2 and "embed" not in n]
    outside = [p for n, p in model.named_parameters() if p.ndim != 2 or "embed" in n]
    return [
        Muon(inside, lr=recipe.peak, weight_decay=0.05),
        torch.optim.AdamW(outside, lr=recipe.peak, betas=(0.9, 0.98), weight_decay=0.0),
    ]


def loss_of(model: Qwen2ForCausalLM, ids: Tensor, labels: Tensor) -> Tensor:
    """Mean cross-entropy of the learned tokens of ids [B, T]; only their logits are computed."""
    hidden = model.model(input_ids=ids[:, :-1], use_cache=False).last_hidden_state
    targets = labels[:, 1:]
    learned = targets != IGNORED
    return functional.cross_entropy(model.lm_head(hidden[learned]), targets[learned])


def train(
    chats: Chats, tokenizer: Tokenizer, recipe: Recipe, folder: Path, *, start: Path | None = None
) -> Qwen2ForCausalLM:
    """Train until the minutes are over, going on from the checkpoint in `folder`, if any.

    A fresh run begins with the weights of the checkpoint `start`, if given, and with the chats
    after those it has seen. Under `torchrun` every worker computes the gradient of its own batches
    and all take the same step; the first one keeps the clock and writes the checkpoints.
    """
    rank, workers = _join_workers()
    model = build_model(recipe, tokenizer.get_vocab_size())
    steppers = optimizers(model, recipe)
    state: dict[str, Any] = {"seconds": 0.0, "drawn": 0, "tokens": 0, "step": 0}
    checkpoint = folder / CHECKPOINT
    if checkpoint.exists():
        saved = torch.load(checkpoint, weights_only=True)
        model.load_state_dict(saved["model"])
        for stepper, values in zip(steppers, saved["optimizers"], strict=True):
            stepper.load_state_dict(values)
        state = saved["state"]
    elif start:
        saved = torch.load(start, weights_only=True)
        model.load_state_dict(saved["model"])
        state["drawn"] = saved["state"]["drawn"]
    folder.mkdir(parents=True, exist_ok=True)
    print(
        f"{sum(p.numel() for p in model.parameters()) / 1e6:.2f}M parameters, from {state}",
        flush=True,
    )
    last = saved_at = time.monotonic()
    for drawn, ids, labels in batches(chats, tokenizer, recipe, state["drawn"]):
        progress = _agree(state["seconds"] / (60 * recipe.minutes))
        if progress >= 1:
            break
        loss = _update(model, steppers, ids, labels, learning_rate(recipe, progress))
        now = time.monotonic()
        state = {
            "seconds": state["seconds"] + min(now - last, LONGEST_UPDATE),
            "drawn": drawn,
            "tokens": state["tokens"] + workers * ids.numel(),
            "step": state["step"] + 1,
        }
        if state["step"] % 10 == 0 and rank == 0:
            print(
                f"step {state['step']} loss {loss:.4f} {state['tokens'] / 1e6:.2f}M tokens "
                f"{state['seconds'] / 60:.1f} min "
                f"{workers * ids.numel() / (now - last):.0f} tokens/s",
                flush=True,
            )
        last = now
        if now - saved_at > 60 * recipe.save_minutes and rank == 0:
            saved_at = now
            _save(checkpoint, model, steppers, state)
    if rank == 0:
        _save(checkpoint, model, steppers, state)
    return model


def _join_workers() -> tuple[int, int]:
    """Join the group that `torchrun` describes, if it started this process."""
    if "WORLD_SIZE" in os.environ and not dist.is_initialized():
        dist.init_process_group("gloo")
    return _rank_and_workers()


def is_first_worker() -> bool:
    """Whether this process is the one that keeps what was trained."""
    return _rank_and_workers()[0] == 0


def _rank_and_workers() -> tuple[int, int]:
    return (dist.get_rank(), dist.get_world_size()) if dist.is_initialized() else (0, 1)


def _agree(progress: float) -> float:
    """The progress by the first worker's clock."""
    if not dist.is_initialized():
        return progress
    shared = torch.tensor([progress])
    dist.broadcast(shared, 0)
    return float(shared)


def average_gradients(model: Qwen2ForCausalLM) -> None:
    """The mean of all workers' gradients, in one message."""
    gradients = [p.grad for p in model.parameters() if p.grad is not None]
    together = torch.cat([gradient.flatten() for gradient in gradients])
    dist.all_reduce(together)
    together /= dist.get_world_size()
    shares = torch.split(together, [gradient.numel() for gradient in gradients])
    for gradient, share in zip(gradients, shares, strict=True):
        gradient.copy_(share.view_as(gradient))


def _update(
    model: Qwen2ForCausalLM,
    steppers: list[torch.optim.Optimizer],
    ids: Tensor,
    labels: Tensor,
    rate: float,
) -> float:
    loss = loss_of(model, ids, labels)
    loss.backward()  # type: ignore[no-untyped-call]
    if dist.is_initialized():
        average_gradients(model)
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    for stepper in steppers:
        for group in stepper.param_groups:
            group["lr"] = rate
        stepper.step()
        stepper.zero_grad()
    return float(loss.detach())


def _save(
    checkpoint: Path,
    model: Qwen2ForCausalLM,
    steppers: list[torch.optim.Optimizer],
    state: dict[str, Any],
) -> None:
    """Write the checkpoint beside the old one, then replace it."""
    fresh = checkpoint.with_suffix(".new")
    torch.save(
        {
            "model": model.state_dict(),
            "optimizers": [s.state_dict() for s in steppers],
            "state": state,
        },
        fresh,
    )
    fresh.replace(checkpoint)


def learn_from(
    chats: Chats, learn: Callable[[Iterator[str]], Tokenizer], number: int = 4000
) -> Tokenizer:
    """A tokenizer learned from the first chats of a stream."""
    return learn(
        "".join(piece.text for piece in chats(index)) for index in islice(range(number), number)
    )
