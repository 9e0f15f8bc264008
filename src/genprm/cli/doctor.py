"""`genprm doctor`: what this machine offers, by really trying it."""

import platform
from importlib.metadata import PackageNotFoundError, version

import typer

import genprm

_PARTS = {
    "engine": ("openvino-genai",),
    "answers": ("math-verify",),
    "train": ("torch", "transformers", "trl"),
    "evaluate": ("matplotlib",),
    "serve": ("fastapi",),
}


def doctor() -> None:
    """Print versions, and which layers of the sandbox hold here."""
    typer.echo(f"genprm {genprm.__version__}, Python {platform.python_version()}")
    typer.echo(f"{platform.system()} {platform.release()} {platform.machine()}")
    for part, packages in _PARTS.items():
        typer.echo(f"{part:9} {', '.join(map(_installed, packages))}")


def _installed(package: str) -> str:
    try:
        return f"{package} {version(package)}"
    except PackageNotFoundError:
        return f"{package} missing"
