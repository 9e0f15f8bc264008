"""Supervised fine-tuning with TRL, from chats to a model that `genprm verify` and servers load.

The labels are made here, token by token (`tokens`), so TRL receives tokenized rows and does only
packing, batching and the training loop. With the same command, a killed run continues from its last
complete checkpoint; other settings are refused. For several GPUs, use `accelerate launch
--config_file recipes/accelerate/fsdp.yaml -m genprm train RECIPE.toml`.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from genprm.errors import InputError
from genprm.extras import require
from genprm.gguf_header import is_ours
from genprm.train.checkpoints import claim, last_checkpoint
from genprm.train.corpus import Corpus, describe, load_corpus
from genprm.train.export import export
from genprm.train.gguf_base import gguf_file, write_folder
from genprm.train.recipe import Precision, Training

_NEEDED = ("torch", "transformers", "trl", "datasets", "accelerate")


def train(settings: Training) -> Path:
    """Train, or continue training, and return the folder of the finished model.

    Raises:
        InputError: chats or base cannot be used.
        JournalError: the output was started with other settings.
        MissingExtra: a library is not installed.
    """
    check_installed(settings)
    output = Path(settings.output)
    claim(output, settings)
    if file := gguf_file(settings.base):
        folder = write_folder(file, output / "base")
        settings = settings.model_copy(update={"base": str(folder)})
    from transformers import set_seed

    set_seed(settings.seed)
    tokenizer = load_tokenizer(settings)
    corpus = load_corpus(settings, tokenizer)
    trainer = _trainer(settings, tokenizer, corpus)
    if trainer.is_world_process_zero():
        print(describe(corpus, settings, trainer.args.gradient_accumulation_steps), flush=True)
    trainer.train(resume_from_checkpoint=last_checkpoint(output))
    return export(trainer, tokenizer, settings)


def check_installed(settings: Training) -> None:
    """Check for missing packages before anything heavy is loaded.

    Raises:
        MissingExtra: a library is missing; the message names the first one.
    """
    adapters = ["peft"] if settings.lora else []
    read = ["gguf"] if gguf_file(settings.base) or is_ours(Path(settings.base)) else []
    require(*_NEEDED, *settings.report, *adapters, *read, extra="train")
    if settings.chats.endswith(".parquet"):
        require("pyarrow", extra="train")


def load_tokenizer(settings: Training) -> Any:
    """The base's tokenizer, with the recipe's chat template if it names one.

    Raises:
        InputError: there is no tokenizer, or it has no chat template.
    """
    from transformers import AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(settings.base)
        if settings.chat_template:
            tokenizer.chat_template = Path(settings.chat_template).read_text("utf-8")
    except (OSError, ValueError) as error:
        cause = " ".join(str(error).split())[:200]
        raise InputError(f"base {settings.base}: no tokenizer ({cause})") from None
    if not tokenizer.is_fast or not tokenizer.chat_template:
        raise InputError(f"base {settings.base}: needs a fast tokenizer with a chat template")
    return tokenizer


def accumulation_steps(settings: Training, chats_per_row: float, devices: int) -> int:
    """Micro-batches in each update, so that an update sees `batch` chats on average."""
    rows = settings.batch / chats_per_row
    return max(1, round(rows / (settings.micro_batch * devices)))


def _trainer(settings: Training, tokenizer: Any, corpus: Corpus) -> Any:
    import torch
    from trl.trainer.sft_config import SFTConfig

    from genprm.train.schedule import Trainer

    devices = int(os.environ.get("WORLD_SIZE", "1"))
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    arguments = SFTConfig(
        output_dir=settings.output,
        num_train_epochs=settings.epochs,
        per_device_train_batch_size=settings.micro_batch,
        gradient_accumulation_steps=accumulation_steps(settings, corpus.chats_per_row, devices),
        learning_rate=settings.learning_rate,
        lr_scheduler_type=settings.scheduler,
        warmup_steps=settings.warmup,  # below 1: a share
        weight_decay=settings.weight_decay,
        use_cpu=not torch.accelerator.is_available(),
        bf16=settings.precision is Precision.BF16,
        gradient_checkpointing=settings.gradient_checkpointing,
        max_length=None,  # rows are cut and packed already
        packing=False,
        padding_free=settings.packing,
        seed=settings.seed,
        save_strategy="steps",
        save_steps=settings.save_every,
        save_total_limit=settings.keep_checkpoints,
        logging_steps=settings.log_every,
        report_to=list(settings.report) or "none",
        run_name=Path(settings.output).name,
    )
    with _logging_to(Path(settings.output) / "logs"):
        return Trainer(
            model=_model(settings),
            args=arguments,
            train_dataset=corpus.rows,
            processing_class=tokenizer,
            peft_config=_adapters(settings),
        )


@contextmanager
def _logging_to(folder: Path) -> Iterator[None]:
    """Set TensorBoard's folder in the environment, where a trainer reads it, unless it is set."""
    name = "TENSORBOARD_LOGGING_DIR"
    is_set = name in os.environ
    os.environ.setdefault(name, str(folder))
    try:
        yield
    finally:
        if not is_set:
            del os.environ[name]


def _model(settings: Training) -> Any:
    """The base in float32; in bfloat16, the small updates of a rate of 2e-6 would be lost."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    frozen = settings.lora is not None and settings.precision is Precision.BF16
    options = {
        "dtype": torch.bfloat16 if frozen else torch.float32,
        "attn_implementation": settings.attention,
    }
    try:
        if settings.from_scratch:
            shape = AutoConfig.from_pretrained(settings.base)
            return AutoModelForCausalLM.from_config(shape, **options)  # type: ignore[no-untyped-call]
        return AutoModelForCausalLM.from_pretrained(settings.base, **options)
    except (OSError, ValueError) as error:
        cause = " ".join(str(error).split())[:200]
        raise InputError(f"base {settings.base}: cannot be loaded ({cause})") from None


def _adapters(settings: Training) -> Any:
    if settings.lora is None:
        return None
    from peft import LoraConfig

    return LoraConfig(
        r=settings.lora.rank,
        lora_alpha=settings.lora.alpha,
        lora_dropout=settings.lora.dropout,
        target_modules=settings.lora.modules,
        task_type="CAUSAL_LM",
    )
