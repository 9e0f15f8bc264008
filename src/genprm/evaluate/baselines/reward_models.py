"""The two public reward-model architectures that `transformers` does not ship.

Their checkpoints contain code of their own; these classes load the same weights without running
it. This module imports torch, so import it only where a model is loaded.
"""

from typing import Any

import torch
from torch import nn
from transformers import AutoModelForCausalLM, Qwen2Config, Qwen2Model, Qwen2PreTrainedModel

from genprm.evaluate.baselines.step_tokens import Head


class Qwen2ForProcessRewardModel(Qwen2PreTrainedModel):  # type: ignore[no-untyped-call]
    """Qwen2.5-Math-PRM: two classes, wrong and right, at every token."""

    def __init__(self, config: Qwen2Config) -> None:
        super().__init__(config)
        self.model = Qwen2Model(config)
        self.score = nn.Sequential(
            nn.Linear(config.hidden_size, config.hidden_size),
            nn.ReLU(),
            nn.Linear(config.hidden_size, 2),
        )
        self.post_init()  # type: ignore[no-untyped-call]


class _ValueHead(nn.Module):
    def __init__(self, config: Qwen2Config) -> None:
        super().__init__()
        self.summary = nn.Linear(config.hidden_size, 1)


class Qwen2ForPrmModel(Qwen2PreTrainedModel):  # type: ignore[no-untyped-call]
    """Skywork-o1-Open-PRM: one value at every token."""

    def __init__(self, config: Qwen2Config) -> None:
        super().__init__(config)
        self.model = Qwen2Model(config)
        self.v_head = _ValueHead(config)
        self.post_init()  # type: ignore[no-untyped-call]


_CLASSES: dict[Head, Any] = {
    Head.CLASSES: Qwen2ForProcessRewardModel,
    Head.VALUE: Qwen2ForPrmModel,
    Head.VOCABULARY: AutoModelForCausalLM,
}


def load(name: str, head: Head) -> Any:
    """Load a checkpoint: on a GPU in bfloat16 if there is one, otherwise in float32."""
    gpu = torch.cuda.is_available()
    model = _CLASSES[head].from_pretrained(name, dtype=torch.bfloat16 if gpu else torch.float32)
    return model.to("cuda" if gpu else "cpu").eval()


def outputs(
    model: Any, head: Head, ids: list[int], positions: list[int], columns: tuple[int, int] | None
) -> list[list[float]]:
    """The model's output at `positions`: [steps, 2] logits (bad, good), or [steps, 1] values."""
    with torch.inference_mode():
        tokens = torch.tensor([ids], device=model.device)
        hidden = model.model(input_ids=tokens).last_hidden_state[0, positions]
        match head:
            case Head.CLASSES:
                said = model.score(hidden)
            case Head.VALUE:
                said = model.v_head.summary(hidden)
            case Head.VOCABULARY:
                said = model.lm_head(hidden)[:, list(columns or ())]
    rows: list[list[float]] = said.float().tolist()
    return rows
