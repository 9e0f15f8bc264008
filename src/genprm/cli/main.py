"""The `genprm` command: its sub-commands, and how errors are reported."""

import os
import sys

import typer

import genprm
from genprm.cli.command_group import CommandGroup
from genprm.cli.terminal.visible import visible
from genprm.errors import GenprmError

# ClickException, whether typer brings its own click or uses the real one
_UsageFault: type[typer.BadParameter] = typer.BadParameter.__mro__[2]

app = typer.Typer(
    name="genprm",
    cls=CommandGroup,
    rich_markup_mode=None,
    help="A process reward model that reasons: it finds the wrong step and shows why.",
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

_INTERRUPTED = 130  # the shell's status for SIGINT


@app.callback(invoke_without_command=True)
def _root(
    context: typer.Context,
    version: bool = typer.Option(False, "--version", help="Print the version."),
) -> None:
    if version:
        typer.echo(genprm.__version__)
        raise typer.Exit
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
        raise typer.Exit(2)


def main() -> None:
    """Run the command: exit status 0, 2 with one line for what the user can fix, 130 on Ctrl-C."""
    try:
        status = app(standalone_mode=False)
    except GenprmError as error:
        _fail(str(error), 2)
    except _UsageFault as error:
        _fail(error.format_message(), 2)
    except (KeyboardInterrupt, typer.Abort):
        status = _INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except OSError as error:
        _fail(f"{error.strerror}{f': {error.filename}' if error.filename else ''}", 2)
    if status == _INTERRUPTED:  # which is also what typer makes of Ctrl-C
        _fail("interrupted; finished rows are kept", _INTERRUPTED)
    sys.exit(status if isinstance(status, int) else 0)


def _fail(message: str, status: int) -> None:
    if message:  # a group without arguments has printed its help
        lines = [visible(line).rstrip() for line in message.strip().splitlines()]
        print("genprm: " + "\n".join(lines), file=sys.stderr)
    sys.exit(status)
