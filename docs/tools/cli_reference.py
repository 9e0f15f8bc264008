"""The page of every command and option, written from the commands themselves."""

from collections.abc import Iterator
from enum import Enum
from typing import Any, get_args

import typer.main

from docs.tools.markdown import cell, table
from genprm.cli.main import app

TITLE = "Command line"


def page() -> str:
    """The page, in Markdown."""
    parts = [
        f"# {TITLE}\n",
        "Every command and every option, as `genprm COMMAND --help` shows them. What the exit "
        "statuses mean is on [another page](exit-statuses.md).\n",
    ]
    parts += [_command(name, command) for name, command in commands()]
    return "\n".join(parts)


def commands() -> Iterator[tuple[str, Any]]:
    """(full name, command) of every command that does something, groups flattened."""
    yield from _leaves("genprm", typer.main.get_command(app))


def _leaves(name: str, command: Any) -> Iterator[tuple[str, Any]]:
    children: dict[str, Any] = getattr(command, "commands", {})
    for child, below in children.items():
        yield from _leaves(f"{name} {child}", below)
    if not children:
        yield name, command


def _command(name: str, command: Any) -> str:
    arguments = [one for one in command.params if one.param_type_name == "argument"]
    usage = " ".join([name, "[OPTIONS]", *(_metavar(one) for one in arguments)])
    parts = [f"## {name}\n", _paragraph(command.help) + "\n", f"```text\n{usage}\n```\n"]
    if arguments:
        rows = [
            (" or ".join(f"`{word}`" for word in _words(one)), _meaning(one)) for one in arguments
        ]
        parts.append(table(("argument", "meaning"), rows))
    panels: dict[str, list[Any]] = {}
    for option in command.params:
        if option.param_type_name == "option" and not option.hidden:
            panels.setdefault(option.rich_help_panel or "", []).append(option)
    for title, options in sorted(panels.items()):
        if title:
            parts.append(f"**{title}**\n")
        parts.append(table(("option", "value", "default", "meaning"), map(_option, options)))
    return "\n".join(parts)


def _option(option: Any) -> tuple[str, str, str, str]:
    names = ", ".join(f"`{name}`" for name in [*option.opts, *option.secondary_opts])
    return names, "" if option.is_flag else _value(option), _default(option), _meaning(option)


def _value(option: Any) -> str:
    """What may follow the option: the choices, or a type with its bounds."""
    if option.metavar:
        return f"`{option.metavar}`"
    annotation = option.type_descriptor.annotation
    kind = next((one for one in (*get_args(annotation), annotation) if isinstance(one, type)), str)
    if issubclass(kind, Enum):
        return ", ".join(f"`{member.value}`" for member in kind)
    name = {"int": "whole number", "float": "number", "str": "text", "Path": "path"}[kind.__name__]
    low, high = option.min, option.max
    if low is not None and high is not None:
        return f"{name} from {low} to {high}"
    return f"{name} from {low}" if low is not None else name


def _default(option: Any) -> str:
    value = option.default
    if callable(value) or value is None or value is False or value in ((), []):
        return ""
    if option.is_flag:
        return "on"
    return f"`{getattr(value, 'value', value)}`"


def _metavar(argument: Any) -> str:
    name = str(argument.metavar or argument.name.upper())
    return name if argument.required or name.startswith("[") else f"[{name}]"


def _words(argument: Any) -> list[str]:
    """`FILE|-` as its alternatives: a bar would end a table's cell."""
    return _metavar(argument).partition(" [default")[0].strip("[].…").split("|")


def _meaning(parameter: Any) -> str:
    text = cell((parameter.help or "").replace("\\[", "["))  # Rich's escape
    return f"{text} Environment: `{parameter.envvar}`." if parameter.envvar else text


def _paragraph(text: str | None) -> str:
    """Docstrings and help are wrapped for a terminal; a page wraps by itself."""
    paragraphs = (text or "").split("\n\n")
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)
