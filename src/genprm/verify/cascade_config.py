"""The file that says which cheap judge goes first, and when it counts as unsure."""

from dataclasses import replace
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from genprm.errors import InputError
from genprm.records.validation import first_fault
from genprm.verify.cascade import Band
from genprm.verify.format import Mode
from genprm.verify.settings import Settings
from genprm.verify.voting import Adaptive


class CascadeConfig(BaseModel):
    """The first judge of a cascade; `model` is None if it uses the strong judge's model."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str | None = None
    mode: Mode = Mode.DIRECT
    votes: int = Field(1, ge=1)
    low: float
    high: float

    @property
    def band(self) -> Band:
        """The rewards of which the judge is unsure."""
        return Band(self.low, self.high)

    def settings(self, strong: Settings) -> Settings:
        """The strong judge's settings with the cheap judge's mode and number of votes."""
        return replace(strong, mode=self.mode, votes=self.votes, adaptive=Adaptive.OFF)


def read_cascade_config(path: Path) -> CascadeConfig:
    """Read what `genprm evaluate cascade` wrote.

    Raises:
        InputError: names the file, the field and the fix.
    """
    try:
        return CascadeConfig.model_validate_json(path.read_bytes())
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}") from None
    except ValidationError as error:
        raise InputError(f"{path}: {first_fault(error)}") from None
