"""What a recipe says about training: the table `train`."""

from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import Field, PositiveFloat, PositiveInt, model_validator

from genprm.recipe import Table


class Loss(StrEnum):
    """Which tokens of an assistant's turn are learned. Executed output never is."""

    ASSISTANT = "assistant"  # all others, as the released checkpoints: writes whole turns alone
    MODEL = "model"  # what the model writes under the driver; its constant parts are not


class Precision(StrEnum):
    """bf16 computes in bfloat16 over float32 weights; LoRA keeps its frozen base in bfloat16."""

    BF16 = "bf16"
    FP32 = "fp32"


class Lora(Table):
    """Train low-rank adapters (Hu et al. 2021) instead of all weights."""

    rank: PositiveInt = 64
    alpha: PositiveInt = 128
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    modules: str = "all-linear"


class Training(Table):
    """The table of `genprm train`. Defaults are the paper's where it gives a value (spec §3.7)."""

    base: str  # a folder, a model of the Hugging Face Hub, or a GGUF file
    chats: str  # Parquet or JSON Lines, as `genprm curate` writes them
    share: Annotated[float, Field(gt=0, le=1)] = 1.0  # of the chats, drawn by the seed
    output: str  # checkpoints and logs; the finished model in OUTPUT/model
    from_scratch: bool = False  # random weights, of the base only its shape and tokenizer
    chat_template: str | None = None  # a Jinja file instead of the base's own
    loss: Loss = Loss.ASSISTANT
    epochs: PositiveFloat = 1.0
    batch: PositiveInt = 64  # chats an update, over all devices
    learning_rate: PositiveFloat = 2e-6
    scheduler: str = "cosine"  # a name that transformers knows
    warmup: Annotated[float, Field(ge=0, lt=1)] = 0.03  # share of all updates
    weight_decay: Annotated[float, Field(ge=0)] = 0.0
    max_length: PositiveInt = 16384  # tokens; a longer chat loses its last turns
    packing: bool = True  # several chats in a row of max_length tokens, unseen by each other
    micro_batch: PositiveInt = 1  # rows that a device computes at once
    precision: Precision = Precision.BF16
    gradient_checkpointing: bool = True
    attention: Literal["sdpa", "flash_attention_2", "eager"] = "sdpa"
    lora: Lora | None = None
    seed: int = 0
    save_every: PositiveInt = 50  # updates
    keep_checkpoints: PositiveInt = 2
    log_every: PositiveInt = 5
    report: tuple[Literal["tensorboard", "wandb", "trackio"], ...] = ("tensorboard",)

    @model_validator(mode="after")
    def _adapters_need_weights(self) -> Self:
        if self.lora and self.from_scratch:
            raise ValueError(
                "field lora: adapters need trained weights; fix: set from_scratch = false"
            )
        return self
