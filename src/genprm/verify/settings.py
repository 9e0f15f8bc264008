"""Everything that decides a verdict, apart from the model."""

from dataclasses import dataclass

from genprm.model import Sampling
from genprm.verify.format import Mode, PromptFormat
from genprm.verify.turn import Limits
from genprm.verify.voting import ERROR_RATE, Adaptive


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that decides a verdict, apart from the model; a run's spec records it."""

    mode: Mode = Mode.GENPRM
    votes: int = 1
    adaptive: Adaptive = Adaptive.OFF
    error_rate: float = ERROR_RATE  # of the adaptive rule `confident`
    stop_at_first_error: bool = False
    sampling: Sampling = Sampling()
    seed: int = 0
    limits: Limits = Limits()
    code_timeout: float = 5.0  # seconds per block
    prompt_format: PromptFormat = PromptFormat()
