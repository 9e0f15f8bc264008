"""The sub-commands by name, each imported only when it is used.

`genprm --help` would otherwise wait for the options of every command, and for rich.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from importlib import import_module
from typing import TYPE_CHECKING, Protocol, TypeAlias, cast

import typer
from typer.core import TyperGroup
from typer.main import get_command

if TYPE_CHECKING:
    from typer.core import TyperCommand

    Command: TypeAlias = TyperCommand | TyperGroup

# section -> command -> the first sentence of its docstring
SECTIONS: dict[str, dict[str, str]] = {
    "Verify": {
        "verify": "Judge every step of a solution: analyse it, check it with code, "
        "say whether it is correct.",
        "rescore": "Apply another rule to stored votes, without a model.",
    },
    "Curate and train": {
        "curate": "Make training data: solutions, rollouts, labels, rationales, consensus, chats.",
        "train": "Fine-tune a model on curated chats.",
    },
    "Scale": {
        "sample": "Draw solutions of every problem from a policy, and grade them where the answer "
        "is known.",
        "rank": "Choose the best of N solutions of each problem, sampled now or stored earlier.",
        "refine": "Let the policy answer again, given the analysis of its first wrong step.",
        "search": "Write solutions step by step, and continue only the steps that the verifier "
        "rates best.",
    },
    "Evaluate": {
        "evaluate": "Measure verifiers, baselines and ways to choose an answer.",
        "report": "Write one self-contained HTML page that compares runs with the first one.",
        "bench": "Compare the judge's speed on this machine with its engine's and the reference's.",
    },
    "Serve and show": {
        "serve": "Serve the verifier over HTTP.",
        "view": "Look at runs in a browser: the reward of every step, every vote, and why.",
        "sandbox": "Run model-written code for other machines.",
    },
    "Help": {
        "doctor": "Test the engine and every layer of the sandbox on this machine.",
        "schema": "Print the JSON Schema of a row that genprm reads or writes.",
        "explain": "Explain an error message: what it means and what to do.",
    },
}


class Commands(Mapping[str, "Command"]):
    """The commands by name: `NAME` or `app` of the module `genprm.cli.commands.NAME`."""

    def __init__(self) -> None:
        names = [name for section in SECTIONS.values() for name in section]
        self._loaded: dict[str, Command | None] = dict.fromkeys(names)

    def __getitem__(self, name: str) -> "Command":
        command = self._loaded[name]
        if command is None:
            command = self._loaded[name] = _load(name)
        return command

    def __contains__(self, name: object) -> bool:
        return name in self._loaded

    def __iter__(self) -> Iterator[str]:
        return iter(self._loaded)

    def __len__(self) -> int:
        return len(self._loaded)


class CommandGroup(TyperGroup):
    """`genprm` itself: its help is plain text, written from `SECTIONS`."""

    def __init__(self, *, commands: object, **settings: object) -> None:
        # typer passes the commands that were registered with it, which are none
        super().__init__(commands=Commands(), **settings)  # type: ignore[arg-type]

    def list_commands(self, ctx: object) -> list[str]:
        """The names, in the order of the help."""
        return list(self.commands)

    def format_commands(self, ctx: object, formatter: "_Formatter") -> None:
        """Write one list for each section."""
        for title, commands in SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl(list(commands.items()))


class _Formatter(Protocol):
    def section(self, name: str, /) -> AbstractContextManager[None]: ...
    def write_dl(self, rows: Sequence[tuple[str, str]], /) -> None: ...


def _load(name: str) -> "Command":
    module = import_module(f"genprm.cli.commands.{name}")
    app = getattr(module, "app", None)
    if app is None:
        app = typer.Typer(add_completion=False)
        app.command(name)(getattr(module, name))
    command = cast("Command", get_command(app))
    command.name = name
    return command
