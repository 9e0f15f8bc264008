"""`genprm train`: fine-tune a verifier on curated chats."""

from pathlib import Path
from typing import Annotated

import typer

from genprm.cli.recipes import read_training
from genprm.train.sft import train as fine_tune


def train(
    recipe: Annotated[Path, typer.Argument(metavar="RECIPE.toml", help="See recipes/.")],
) -> None:
    """Fine-tune a model on curated chats; a killed run goes on with the same command."""
    typer.echo(f"model → {fine_tune(read_training(recipe))}", err=True)
