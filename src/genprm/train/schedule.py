"""TRL's trainer with a schedule whose first update has a learning rate above zero.

Schedules with a warm-up give update 0 the learning rate 0. In a training with thousands of updates
this does not matter, but one with a single update would not change the weights at all.
"""

from collections.abc import Callable

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR, LRScheduler
from trl.trainer.sft_trainer import SFTTrainer


class Trainer(SFTTrainer):
    """Every update has the learning rate that the schedule gives to the one after it."""

    def create_scheduler(
        self, num_training_steps: int, optimizer: Optimizer | None = None
    ) -> LRScheduler:
        """See `transformers.Trainer.create_scheduler`; the schedule is one update longer."""
        scheduler = super().create_scheduler(num_training_steps + 1, optimizer)
        if type(scheduler) is LambdaLR:
            shifted = [_one_later(factor) for factor in scheduler.lr_lambdas]
            self.lr_scheduler = scheduler = LambdaLR(scheduler.optimizer, shifted)
        return scheduler


def _one_later(factor: Callable[[int], float]) -> Callable[[int], float]:
    return lambda update: factor(update + 1)
