"""The composition root: builds a model, a sandbox, a judge or a policy from the names a user gives.

The command line, the service, the rewards and the blocking API all build their parts here, and
no other module does.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path
from time import perf_counter

from genprm.client import AsyncClient
from genprm.client.judge import PREFIX as SERVICE
from genprm.client.judge import RemoteJudge
from genprm.errors import InputError
from genprm.model import Model
from genprm.models.engine_args import parse_engine_args
from genprm.models.load import load_model
from genprm.models.replay import Replay
from genprm.policy import Policy, PolicySettings
from genprm.sandboxes.load import load_sandbox
from genprm.verify.cascade import Cascade
from genprm.verify.cascade_config import read_cascade_config
from genprm.verify.code_first import CodeFirst
from genprm.verify.code_judge import CodeJudge
from genprm.verify.domain import Domain
from genprm.verify.format import Mode
from genprm.verify.judge import StepJudge
from genprm.verify.settings import Settings
from genprm.verify.verifier import Verifier

DEFAULT = "default"  # code first, then the shipped model on text like its own
SHIPPED = "arithmetic"


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """A model by name, and how to reach it. `load_model` lists the names.

    For a judge the name may also be `default`: code refutes what it can, and the shipped model is
    asked about text like its training text. With a cascade, or in a mode other than `genprm`,
    `default` is the shipped model alone.
    """

    name: str = SHIPPED
    chat_template: Path | None = None
    api_key: str | None = None
    engine_args: tuple[str, ...] = ()  # each "key=value"


@dataclass(frozen=True, slots=True)
class JudgeChoice:
    """A judge: its model, the tier of its sandbox, and the file of a cascade, if there is one."""

    model: ModelChoice = ModelChoice()
    sandbox: str = "auto"
    cascade: Path | None = None


@asynccontextmanager
async def open_model(choice: ModelChoice) -> AsyncGenerator[Model, None]:
    """The model; it is loaded in a thread and closed at the end.

    Raises:
        InputError: there is no such model.
        ModelError: it cannot be loaded or reached.
        MissingExtra: its engine is not installed.
    """
    model = await asyncio.to_thread(
        load_model,
        choice.name,
        chat_template=choice.chat_template,
        api_key=choice.api_key,
        engine_args=parse_engine_args(choice.engine_args),
    )
    try:
        yield model
    finally:
        await model.close()


@asynccontextmanager
async def open_judge(choice: JudgeChoice, settings: Settings) -> AsyncGenerator[StepJudge, None]:
    """A judge with its own model and sandbox; both are closed at the end.

    A replay does not measure time: its clock stands still, so that its rows are the same in every
    run.

    Raises:
        InputError, ModelError, MissingExtra: as `open_model`; or the cascade's file is broken.
        SandboxError: no tier of the sandbox works on this machine.
    """
    if choice.model.name.startswith(SERVICE):
        async with _open_service(choice, settings) as remote:
            yield remote
        return
    config = read_cascade_config(choice.cascade) if choice.cascade else None
    code_first = _is_code_first(choice, settings)
    named = replace(choice.model, name=SHIPPED) if choice.model.name == DEFAULT else choice.model
    if settings.mode is Mode.CRITIQUE and named.name == SHIPPED:
        raise InputError(
            "--mode critique: the shipped model judges single steps only; fix: name another --model"
        )
    async with load_sandbox(choice.sandbox) as sandbox, open_model(named) as model:
        clock = _standing if isinstance(model, Replay) else perf_counter
        strong = Verifier(model, sandbox, settings, clock=clock)
        if code_first:
            yield CodeFirst(CodeJudge(sandbox, settings, clock=clock), strong, _shipped_domain())
            return
        if config is None:
            yield strong
            return
        first = replace(named, name=config.model or named.name)
        async with open_model(first) as cheap_model:
            cheap = Verifier(cheap_model, sandbox, config.settings(settings), clock=clock)
            yield Cascade(cheap, strong, config.band)


@asynccontextmanager
async def _open_service(choice: JudgeChoice, settings: Settings) -> AsyncGenerator[StepJudge, None]:
    if choice.cascade is not None:
        raise InputError(
            "--cascade: a service has its own judge; fix: start the service with --cascade"
        )
    url = choice.model.name.removeprefix(SERVICE)
    async with AsyncClient(url, api_key=choice.model.api_key) as client:
        yield RemoteJudge(client, await client.judge(), settings)


@asynccontextmanager
async def open_policy(
    choice: ModelChoice, settings: PolicySettings
) -> AsyncGenerator[Policy, None]:
    """A policy with its own model; raises as `open_model`."""
    async with open_model(choice) as model:
        yield Policy(model, settings)


def shipped_domain(choice: JudgeChoice, settings: Settings) -> Domain | None:
    """What the shipped model was trained on, where it alone judges; None for every other judge."""
    alone = choice.model.name in {DEFAULT, SHIPPED} and not _is_code_first(choice, settings)
    return _shipped_domain() if alone else None


def _is_code_first(choice: JudgeChoice, settings: Settings) -> bool:
    plain = choice.cascade is None and settings.mode is Mode.GENPRM
    return choice.model.name == DEFAULT and plain


def _shipped_domain() -> Domain:
    folder = Path(str(resources.files("genprm"))) / "arithmetic" / "weights" / "verifier"
    return Domain.read(folder / "domain.txt")


def _standing() -> float:
    return 0.0
