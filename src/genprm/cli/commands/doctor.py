"""`genprm doctor`: what works on this machine, found out by trying it."""

import re

import typer

import genprm
from genprm.cli import options as cli
from genprm.errors import GenprmError


def doctor(model: cli.ModelName = "arithmetic", sandbox: cli.Tier = "auto") -> None:
    """Test the engine and every layer of the sandbox on this machine."""
    import asyncio
    import platform

    from genprm.sandboxes.probe import probe

    typer.echo(f"genprm {genprm.__version__}, Python {platform.python_version()}")
    typer.echo(f"{platform.system()} {platform.release()} {platform.machine()}")
    found = asyncio.run(probe(sandbox))
    for line in [_engine(model), *found.lines()]:
        typer.echo(line)
    for extra, packages in packages_of_extras().items():
        typer.echo(f"extra {extra}: {', '.join(map(_installed, packages))}")
    if not found.is_safe:
        raise typer.Exit(1)


def packages_of_extras() -> dict[str, list[str]]:
    """The packages that each extra requires, from the metadata of the installed genprm."""
    from importlib.metadata import metadata, requires

    found: dict[str, list[str]] = {
        extra: [] for extra in metadata("genprm").get_all("Provides-Extra") or [] if extra != "dev"
    }
    for line in requires("genprm") or []:
        requirement, _, marker = line.partition(";")
        asked = re.search(r"extra\s*==\s*['\"]([\w-]+)['\"]", marker)
        name = re.match(r"[\w.-]+", requirement)
        if asked and name and asked[1] in found:
            found[asked[1]].append(name[0])
    return found


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
