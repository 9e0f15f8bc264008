"""`genprm train`: fine-tune a verifier on curated chats."""

import os
from pathlib import Path
from typing import Annotated

import typer


def train(
    recipe: Annotated[
        Path, typer.Argument(metavar="RECIPE.toml", help="The recipe; recipes/ has examples.")
    ],
) -> None:
    """Fine-tune a model on curated chats. Run the same command again to resume."""
    from genprm.cli.recipes import read_training
    from genprm.gguf_header import OUR_WEIGHTS, is_ours
    from genprm.train.sft import train as fine_tune

    settings = read_training(recipe)
    model = fine_tune(settings)
    is_first_process = os.environ.get("RANK", "0") == "0"
    if is_first_process and is_ours(Path(settings.base)):
        # What the embedded engine could load before, it can load afterwards.
        from genprm.arithmetic.gguf_export import to_gguf

        to_gguf(model, model / OUR_WEIGHTS)
    typer.echo(f"model → {model}", err=True)
