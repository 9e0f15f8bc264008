"""The Muon optimizer (Jordan et al. 2024) in float32.

`torch.optim.Muon` orthogonalises in bfloat16, which most CPUs emulate: there it costs a fifth of
a training step. Here matrices of one shape are orthogonalised together in float32.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor

QUINTIC = (3.4445, -4.7750, 2.0315)  # coefficients of the Newton-Schulz iteration


def orthogonalise(matrices: Tensor, iterations: int = 5) -> Tensor:
    """Matrices [N, rows, columns] with their singular values pushed towards one."""
    if matrices.shape[-2] > matrices.shape[-1]:
        return orthogonalise(matrices.mT, iterations).mT
    a, b, c = QUINTIC
    x: Tensor = matrices / (matrices.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    for _ in range(iterations):
        gram = x @ x.mT
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x


class Muon(torch.optim.Optimizer):
    """Nesterov momentum, orthogonalised, scaled to the size of an AdamW step (Moonlight)."""

    def __init__(
        self, params: Iterable[Tensor], lr: float, momentum: float = 0.95, weight_decay: float = 0.0
    ) -> None:
        super().__init__(params, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """Update every parameter; its gradient is left as it is."""
        for group in self.param_groups:
            by_shape: dict[torch.Size, list[Tensor]] = defaultdict(list)
            for parameter in group["params"]:
                by_shape[parameter.shape].append(parameter)
            for parameters in by_shape.values():
                self._step(parameters, group)

    def _step(self, parameters: list[Tensor], group: dict[str, Any]) -> None:
        directions = []
        for parameter in parameters:
            buffer = self.state[parameter].setdefault("momentum", torch.zeros_like(parameter))
            assert parameter.grad is not None
            buffer.lerp_(parameter.grad, 1 - group["momentum"])
            directions.append(parameter.grad.lerp(buffer, group["momentum"]))
        size = 0.2 * max(parameters[0].shape) ** 0.5
        for parameter, update in zip(
            parameters, orthogonalise(torch.stack(directions)), strict=True
        ):
            parameter.mul_(1 - group["lr"] * group["weight_decay"])
            parameter.add_(update, alpha=-group["lr"] * size)
