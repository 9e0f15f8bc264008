"""Writes the finished model as a folder that vLLM, SGLang and converters can read."""

from pathlib import Path
from typing import Any

from genprm.train.recipe import Precision, Training


def export(trainer: Any, tokenizer: Any, settings: Training) -> Path:
    """Write weights, tokenizer and chat template to OUTPUT/model; adapters are merged in.

    Every process must call it: sharded weights are gathered from all of them.
    """
    folder = Path(settings.output) / "model"
    trained = Path(settings.output) / "adapters" if settings.lora else folder
    trainer.model.config.use_cache = True  # training had switched it off
    trainer.save_model(str(trained))
    if trainer.is_world_process_zero():
        if settings.lora:
            _merge(trained, folder, settings)
        elif settings.precision is Precision.BF16:
            _halve(folder)
        tokenizer.save_pretrained(folder)
    trainer.accelerator.wait_for_everyone()
    return folder


def _merge(adapters: Path, folder: Path, settings: Training) -> None:
    from peft import PeftModel

    base = _load(settings.base, settings)
    PeftModel.from_pretrained(base, str(adapters)).merge_and_unload().save_pretrained(folder)


def _halve(folder: Path) -> None:
    """Convert the weights from float32, in which they were trained, to bfloat16."""
    import torch
    from transformers import AutoModelForCausalLM

    AutoModelForCausalLM.from_pretrained(folder, dtype=torch.bfloat16).save_pretrained(folder)


def _load(base: str, settings: Training) -> Any:
    import torch
    from transformers import AutoModelForCausalLM

    half = settings.precision is Precision.BF16
    return AutoModelForCausalLM.from_pretrained(
        base, dtype=torch.bfloat16 if half else torch.float32
    )
