"""Build a verifier from the command line's words, and take it down again."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

from genprm.model import Model
from genprm.models.load import load_model
from genprm.models.replay import Replay
from genprm.sandboxes.fork_server import ForkServer
from genprm.verify.verifier import Settings, Verifier


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """Which model, reached how, and where its code runs."""

    model: str = "arithmetic"
    chat_template: Path | None = None
    api_key: str | None = None
    sandbox: str = "auto"


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
        yield Verifier(model, sandbox, settings, clock=clock)


def _standing() -> float:
    return 0.0
