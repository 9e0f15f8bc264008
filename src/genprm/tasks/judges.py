"""The judges that find first errors, by name: the verifier, or a baseline."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from genprm.errors import InputError
from genprm.verify.settings import Settings

if TYPE_CHECKING:  # the names alone must cost nothing when a command starts
    from genprm.compose import JudgeChoice
    from genprm.evaluate.baselines.critic import CriticSettings
    from genprm.evaluate.run import SolutionJudge


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
    POSITION = "position"


@dataclass(frozen=True, slots=True)
class JudgeOptions:
    """A judge, its engine, and its settings."""

    name: JudgeName
    engine: "JudgeChoice"
    settings: Settings
    tokenizer: str | None = None  # of a served discriminative model


@asynccontextmanager
async def open_judge(options: JudgeOptions) -> AsyncGenerator["SolutionJudge", None]:
    """The judge, closed at the end."""
    from genprm.compose import open_judge as open_step_judge
    from genprm.evaluate.baselines.critic import Critic
    from genprm.evaluate.baselines.endpoint import Endpoint
    from genprm.evaluate.baselines.trivial import Calculator, Constant, Position
    from genprm.evaluate.judges import VerifierJudge

    match options.name:
        case JudgeName.GENPRM:
            async with open_step_judge(options.engine, options.settings) as judge:
                yield VerifierJudge(judge)
        case JudgeName.CONSTANT:
            yield Constant()
        case JudgeName.POSITION:
            yield Position()
        case JudgeName.CALCULATOR:
            yield Calculator()
        case JudgeName.CRITIC:
            url, _, name = options.engine.model.name.removeprefix("openai:").partition("#")
            if not url.startswith("http"):
                raise InputError(
                    f"--judge critic: --model {options.engine.model.name} is not a server; "
                    "fix: write http://HOST:PORT/v1, with #NAME to pick one of its models"
                )
            async with Endpoint(url, api_key=options.engine.model.api_key) as endpoint:
                name = name or await endpoint.first_model()
                yield Critic(endpoint, name, _critic_settings(options.settings))
        case _:
            async with _open_prm(options) as prm:
                yield prm


@asynccontextmanager
async def _open_prm(options: JudgeOptions) -> AsyncGenerator["SolutionJudge", None]:
    from genprm.evaluate.baselines.discriminative import LocalPrm, PoolingPrm, load_tokenizer
    from genprm.evaluate.baselines.endpoint import Endpoint
    from genprm.evaluate.baselines.step_tokens import CONVENTIONS

    convention = CONVENTIONS[options.name]
    if not options.engine.model.name.startswith("http"):
        yield await asyncio.to_thread(LocalPrm, options.engine.model.name, convention)
        return
    url, name = _served(options)
    tokenizer = await asyncio.to_thread(load_tokenizer, options.tokenizer or name)
    root = url.rstrip("/").removesuffix("/v1")  # vLLM serves /pooling beside /v1
    async with Endpoint(root, api_key=options.engine.model.api_key) as endpoint:
        yield PoolingPrm(endpoint, name, tokenizer, convention)


def _served(options: JudgeOptions) -> tuple[str, str]:
    url, _, name = options.engine.model.name.partition("#")
    if not url.startswith("http") or not name:
        raise InputError(
            f"--judge {options.name}: --model {options.engine.model.name} names no served model; "
            "fix: write http://HOST:PORT/v1#NAME"
        )
    return url, name


def _critic_settings(settings: Settings) -> "CriticSettings":
    """The settings of the critic: those that were given, and otherwise the official script's.

    These are greedy for one answer, temperature 1 and top-p 0.9 for several, and 8192 tokens. An
    option with the verifier's default counts as not given.
    """
    from genprm.evaluate.baselines.critic import CriticSettings

    verifier, official = Settings(), CriticSettings()
    several = settings.votes > 1
    sampling, tokens = settings.sampling, settings.limits.tokens
    asked = sampling != verifier.sampling
    return CriticSettings(
        settings.votes,
        temperature=sampling.temperature if asked else 1.0 if several else official.temperature,
        top_p=sampling.top_p if asked else 0.9 if several else official.top_p,
        max_tokens=tokens if tokens != verifier.limits.tokens else official.max_tokens,
        seed=settings.seed,
    )
