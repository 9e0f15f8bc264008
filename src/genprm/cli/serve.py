"""`genprm serve`: the verifier as an HTTP service."""

import asyncio
import socket
from typing import Annotated

import typer

from genprm.cli import options as cli
from genprm.cli.engine import EngineOptions, open_verifier
from genprm.errors import InputError, MissingExtra
from genprm.model import Sampling
from genprm.verify.format import Mode, PromptFormat
from genprm.verify.session import Limits
from genprm.verify.verifier import Settings
from genprm.verify.voting import ERROR_RATE, Adaptive

_DEFAULT = Settings()


def serve(
    model: cli.ModelName = "arithmetic",
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 picks a free one.")] = 8321,
    votes: cli.Votes = 1,
    mode: cli.VoteMode = Mode.GENPRM,
    adaptive: cli.VoteAdaptive = Adaptive.OFF,
    error_rate: cli.ErrorRate = ERROR_RATE,
    stop_at_first_error: cli.StopAtFirstError = False,
    concurrency: cli.Concurrency = 16,
    waiting: Annotated[
        int, typer.Option(min=0, help="Solutions that may wait; more are refused with 503.")
    ] = 1024,
    seed: cli.Seed = 0,
    temperature: cli.Temperature = _DEFAULT.sampling.temperature,
    top_p: cli.TopP = _DEFAULT.sampling.top_p,
    top_k: cli.TopK = _DEFAULT.sampling.top_k,
    max_tokens: cli.StepTokens = _DEFAULT.limits.tokens,
    code_rounds: cli.CodeRounds = _DEFAULT.limits.code_rounds,
    code_timeout: cli.CodeTimeout = _DEFAULT.code_timeout,
    evaluator_prompt: cli.EvaluatorPrompt = False,
    assistant_marker: cli.AssistantMarker = False,
    reference_output: cli.ReferenceOutput = False,
    chat_template: cli.ChatTemplate = None,
    api_key: cli.ApiKey = None,
    sandbox: cli.Tier = "auto",
    cascade: cli.Cascade = None,
) -> None:
    """Serve POST /v1/verify and GET /healthz; what a request does not say is set here."""
    settings = Settings(
        mode=mode,
        votes=votes,
        adaptive=adaptive,
        error_rate=error_rate,
        stop_at_first_error=stop_at_first_error,
        sampling=Sampling(temperature, top_p, top_k),
        seed=seed,
        limits=Limits(max_tokens, code_rounds),
        code_timeout=code_timeout,
        prompt_format=PromptFormat(not evaluator_prompt, assistant_marker, reference_output),
    )
    engine = EngineOptions(model, chat_template, api_key, sandbox, cascade)
    asyncio.run(_serve(engine, settings, host, port, concurrency, waiting))


async def _serve(
    engine: EngineOptions, settings: Settings, host: str, port: int, concurrency: int, waiting: int
) -> None:
    try:
        import uvicorn

        from genprm.server import app
    except ImportError as error:
        raise MissingExtra(error.name or "uvicorn", extra="serve") from None
    try:
        listening = socket.create_server((host, port), backlog=2048)
    except OSError as error:
        cause = error.strerror or str(error)
        raise InputError(f"{host}:{port}: {cause}; mend: another --host or --port") from None
    async with open_verifier(engine, settings) as verifier:
        service = app.create_app(verifier, app.Limits(concurrency, waiting))
        server = uvicorn.Server(uvicorn.Config(service, log_level="warning", lifespan="off"))
        address = f"http://{host}:{listening.getsockname()[1]}"
        typer.echo(f"genprm serves {verifier.model.name} at {address}", err=True)
        await server.serve([listening])
