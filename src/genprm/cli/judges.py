"""What finds first errors, by the name that a person writes: the verifier, or a baseline."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum

from genprm.cli.engine import EngineOptions, open_verifier
from genprm.evaluate.baselines.trivial import Calculator, Constant
from genprm.evaluate.judges import VerifierJudge
from genprm.evaluate.run import Judge
from genprm.verify.verifier import Settings


class JudgeName(StrEnum):
    """Which judge."""

    GENPRM = "genprm"
    CRITIC = "critic"
    QWEN_PRM = "qwen-prm"
    MATH_SHEPHERD = "math-shepherd"
    SKYWORK_PRM = "skywork-prm"
    RLHFLOW_PRM = "rlhflow-prm"
    CALCULATOR = "calculator"
    CONSTANT = "constant"


@dataclass(frozen=True, slots=True)
class JudgeOptions:
    """A judge, its engine, and its settings."""

    name: JudgeName
    engine: EngineOptions
    settings: Settings
    tokenizer: str | None = None  # of a served discriminative model


@asynccontextmanager
async def open_judge(options: JudgeOptions) -> AsyncGenerator[Judge, None]:
    """The judge, closed at the end."""
    match options.name:
        case JudgeName.GENPRM:
            async with open_verifier(options.engine, options.settings) as verifier:
                yield VerifierJudge(verifier)
        case JudgeName.CONSTANT:
            yield Constant()
        case JudgeName.CALCULATOR:
            yield Calculator()
