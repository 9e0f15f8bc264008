"""The `genprm` command: its sub-commands, and how every one of them fails."""

import os
import sys

import click
import typer

import genprm
from genprm.cli.doctor import doctor
from genprm.cli.rank import rank
from genprm.cli.refine import refine
from genprm.cli.sample import sample
from genprm.cli.search import search
from genprm.cli.verify import verify
from genprm.errors import GenprmError

app = typer.Typer(
    name="genprm",
    help="A process reward model that thinks: find the wrong step, and say why.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(verify)
app.command()(sample)
app.command()(rank)
app.command()(refine)
app.command()(search)
app.command()(doctor)


@app.callback(invoke_without_command=True)
def _root(version: bool = typer.Option(False, "--version", help="Print the version.")) -> None:
    if version:
        typer.echo(genprm.__version__)
        raise typer.Exit


def main() -> None:
    """Run the command: exit status 0, 2 with one line for what the user can mend, 130 on Ctrl-C."""
    try:
        status = app(standalone_mode=False)
    except (GenprmError, click.ClickException) as error:
        message = error.format_message() if isinstance(error, click.ClickException) else str(error)
        _fail(message, 2)
    except (KeyboardInterrupt, click.Abort):
        _fail("interrupted; what was finished is kept", 130)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except OSError as error:
        _fail(f"{error.strerror}{f': {error.filename}' if error.filename else ''}", 2)
    sys.exit(status if isinstance(status, int) else 0)


def _fail(message: str, status: int) -> None:
    print(f"genprm: {' '.join(message.split())}", file=sys.stderr)
    sys.exit(status)
