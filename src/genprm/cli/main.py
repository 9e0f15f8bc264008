"""The `genprm` command: its sub-commands, and how every one of them fails."""

import os
import sys
from typing import Any

import typer

import genprm
from genprm.cli.commands.adaptive import adaptive
from genprm.cli.commands.bench import bench
from genprm.cli.commands.cascade import cascade
from genprm.cli.commands.curate import curate
from genprm.cli.commands.doctor import doctor
from genprm.cli.commands.evaluate import app as evaluate
from genprm.cli.commands.explain import explain
from genprm.cli.commands.rank import rank
from genprm.cli.commands.refine import refine
from genprm.cli.commands.report import report
from genprm.cli.commands.rescore import rescore
from genprm.cli.commands.sample import sample
from genprm.cli.commands.sandbox import app as sandbox
from genprm.cli.commands.scaling import scaling
from genprm.cli.commands.schema import schema
from genprm.cli.commands.search import search
from genprm.cli.commands.serve import serve
from genprm.cli.commands.train import train
from genprm.cli.commands.verify import verify
from genprm.cli.commands.view import view
from genprm.cli.terminal.visible import visible
from genprm.errors import GenprmError

# ClickException, whether typer brings its own click or uses the real one
_UsageFault: Any = typer.BadParameter.__mro__[2]

app = typer.Typer(
    name="genprm",
    help="A process reward model that reasons: it finds the wrong step and shows why.",
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
app.command()(serve)
app.command()(view)
app.command()(curate)
app.command()(train)
app.add_typer(evaluate, name="evaluate")
app.add_typer(sandbox, name="sandbox")
evaluate.command()(scaling)
evaluate.command()(adaptive)
evaluate.command()(cascade)
app.command()(report)
app.command()(rescore)
app.command()(doctor)
app.command()(bench)
app.command()(schema)
app.command()(explain)

_INTERRUPTED = 130  # the shell's status for SIGINT


@app.callback(invoke_without_command=True)
def _root(version: bool = typer.Option(False, "--version", help="Print the version.")) -> None:
    if version:
        typer.echo(genprm.__version__)
        raise typer.Exit


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
        _fail("interrupted; what was finished is kept", _INTERRUPTED)
    sys.exit(status if isinstance(status, int) else 0)


def _fail(message: str, status: int) -> None:
    if message:  # a command without arguments has printed its help
        lines = [visible(line).rstrip() for line in message.strip().splitlines()]
        print("genprm: " + "\n".join(lines), file=sys.stderr)
    sys.exit(status)
