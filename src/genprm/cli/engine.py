"""Build a verifier from the command line's words, and take it down again."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from time import perf_counter

from genprm.cli.options import EngineOptions
from genprm.cli.screening import read_cascade
from genprm.model import Model
from genprm.models.load import load_model
from genprm.models.replay import Replay
from genprm.policy import Policy, PolicySettings
from genprm.sandboxes.fork_server import ForkServer
from genprm.verify.cascade import Cascade
from genprm.verify.judge import Settings
from genprm.verify.verifier import Verifier


@asynccontextmanager
async def open_model(options: EngineOptions) -> AsyncGenerator[Model, None]:
    """The model, loaded beside the event loop, closed at the end."""
    model = await asyncio.to_thread(
        load_model,
        options.model,
        chat_template=options.chat_template,
        api_key=options.api_key,
    )
    try:
        yield model
    finally:
        await model.close()


@asynccontextmanager
async def open_verifier(
    options: EngineOptions, settings: Settings
) -> AsyncGenerator[Verifier, None]:
    """A verifier on its own model and sandbox; both start at once.

    A replay has no durations of its own: its clock stands still, so that its rows are the same
    in every run.
    """
    async with ForkServer(tier=options.sandbox) as sandbox, open_model(options) as model:
        clock = _standing if isinstance(model, Replay) else perf_counter
        strong = Verifier(model, sandbox, settings, clock=clock)
        if options.cascade is None:
            yield strong
            return
        screen = read_cascade(options.cascade)
        async with open_model(replace(options, model=screen.model or options.model)) as cheap:
            judge = Verifier(cheap, sandbox, screen.settings(settings), clock=clock)
            yield Cascade(judge, strong, screen.band)


@asynccontextmanager
async def open_policy(
    options: EngineOptions, settings: PolicySettings
) -> AsyncGenerator[Policy, None]:
    """A policy on its own model."""
    async with open_model(options) as model:
        yield Policy(model, settings)


def _standing() -> float:
    return 0.0
