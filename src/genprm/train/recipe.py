"""What a recipe says about training: the table `train`."""

from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import Field, PositiveFloat, PositiveInt, model_validator

from genprm.recipe import Table


class Loss(StrEnum):
    """Which tokens of an assistant's turn are learned. Executed output never is."""

    ASSISTANT = "assistant"  # whole turns, as for the released checkpoints
    MODEL = "model"  # only what the model writes when genprm runs it


class Precision(StrEnum):
    """bf16 computes in bfloat16 over float32 weights; LoRA keeps its frozen base in bfloat16."""

    BF16 = "bf16"  # compute in bfloat16
    FP32 = "fp32"  # compute in float32


class Lora(Table):
    """Train low-rank adapters (Hu et al. 2021) instead of all weights."""

    rank: PositiveInt = 64  # rank of the adapters
    alpha: PositiveInt = 128  # scaling of the adapters
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0  # dropout on the adapters
    modules: str = "all-linear"  # layers that get adapters, by name


class Training(Table):
    """The table of `genprm train`. Defaults are the paper's if it gives a value (spec §3.7)."""

    base: str  # a folder, a model of the Hugging Face Hub, or a GGUF file
    chats: str  # a Parquet or JSON Lines file that `genprm curate` wrote
    share: Annotated[float, Field(gt=0, le=1)] = 1.0  # share of the chats to use, drawn by the seed
    output: str  # folder for checkpoints and logs; the finished model is in OUTPUT/model
    from_scratch: bool = False  # start from random weights in the base's shape
    chat_template: str | None = None  # a Jinja file instead of the base's own template
    loss: Loss = Loss.ASSISTANT  # which tokens are learned
    epochs: PositiveFloat = 1.0  # passes over the chats
    batch: PositiveInt = 64  # chats in each update, over all devices
    learning_rate: PositiveFloat = 2e-6  # highest learning rate
    scheduler: str = "cosine"  # schedule of the learning rate, by its name in transformers
    warmup: Annotated[float, Field(ge=0, lt=1)] = 0.03  # share of updates with a rising rate
    weight_decay: Annotated[float, Field(ge=0)] = 0.0  # weight decay of the optimizer
    max_length: PositiveInt = 16384  # most tokens of a chat; a longer one loses its last turns
    packing: bool = True  # several chats in one row, which do not see each other
    micro_batch: PositiveInt = 1  # rows that a device computes at once
    precision: Precision = Precision.BF16  # number format of the computation
    gradient_checkpointing: bool = True  # recompute activations to save memory
    attention: Literal["sdpa", "flash_attention_2", "eager"] = "sdpa"  # implementation of attention
    lora: Lora | None = None
    seed: int = 0  # seed of the order of chats and of new weights
    save_every: PositiveInt = 50  # updates between checkpoints
    keep_checkpoints: PositiveInt = 2  # how many of the latest checkpoints to keep
    log_every: PositiveInt = 5  # updates between log entries
    report: tuple[Literal["tensorboard", "wandb", "trackio"], ...] = ("tensorboard",)  # logs

    @model_validator(mode="after")
    def _adapters_need_weights(self) -> Self:
        if self.lora and self.from_scratch:
            raise ValueError(
                "field lora: adapters need trained weights; fix: set from_scratch = false"
            )
        return self
