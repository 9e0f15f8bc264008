"""`genprm doctor`: what this machine offers, by really trying it."""

import typer

import genprm
from genprm.cli import options as cli
from genprm.errors import GenprmError

_EXTRAS = {
    "train": ("torch", "transformers", "trl"),
    "evaluate": ("matplotlib", "torch"),
    "serve": ("fastapi", "uvicorn"),
}


def doctor(model: cli.ModelName = "arithmetic", sandbox: cli.Tier = "auto") -> None:
    """Try the engine and every layer of the sandbox here, and say what holds."""
    import asyncio
    import platform

    from genprm.sandboxes.probe import probe

    typer.echo(f"genprm {genprm.__version__}, Python {platform.python_version()}")
    typer.echo(f"{platform.system()} {platform.release()} {platform.machine()}")
    found = asyncio.run(probe(sandbox))
    for line in [_engine(model), *found.lines()]:
        typer.echo(line)
    for extra, packages in _EXTRAS.items():
        typer.echo(f"extra {extra}: {', '.join(map(_installed, packages))}")
    if not found.is_safe:
        raise typer.Exit(1)


def _engine(spec: str) -> str:
    import asyncio

    from genprm.models.load import load_model

    try:
        model = load_model(spec)
    except GenprmError as error:
        return f"model {spec}: {error}"
    text = f"model {spec}: loads, {model.context_length:,} tokens of context"
    asyncio.run(model.close())
    return text


def _installed(package: str) -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return f"{package} {version(package)}"
    except PackageNotFoundError:
        return f"{package} missing"
