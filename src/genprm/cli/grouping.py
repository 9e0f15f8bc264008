"""Groups of options: a command takes a dataclass, and its user sees the fields as options."""

from collections.abc import Callable
from dataclasses import Field, fields
from functools import wraps
from inspect import Parameter, Signature, signature
from typing import TypeGuard, get_type_hints


class OptionGroup:
    """Base of the dataclasses whose fields are options, annotated as Typer wants them."""


def grouped(command: Callable[..., None]) -> Callable[..., None]:
    """The command with every parameter that is an `OptionGroup` replaced by its fields."""
    hints = get_type_hints(command, include_extras=True)
    groups = {name: hint for name, hint in hints.items() if _is_group(hint)}

    @wraps(command)
    def spelt(**given: object) -> None:
        for parameter, group in groups.items():
            given[parameter] = group(
                **{field.name: given.pop(field.name) for field in _fields(group)}
            )
        command(**given)

    own = [
        parameter.replace(kind=Parameter.KEYWORD_ONLY, annotation=hints[name])
        for name, parameter in signature(command).parameters.items()
        if name not in groups
    ]
    shared = [option for group in groups.values() for option in _options(group)]
    spelt.__signature__ = Signature([*own, *shared])  # type: ignore[attr-defined]
    spelt.__annotations__ = {option.name: option.annotation for option in [*own, *shared]}
    return spelt


def _is_group(hint: object) -> TypeGuard[type[OptionGroup]]:
    return isinstance(hint, type) and issubclass(hint, OptionGroup)


def _options(group: type[OptionGroup]) -> list[Parameter]:
    hints = get_type_hints(group, include_extras=True)
    return [
        Parameter(
            field.name, Parameter.KEYWORD_ONLY, default=field.default, annotation=hints[field.name]
        )
        for field in _fields(group)
    ]


def _fields(group: type[OptionGroup]) -> "tuple[Field[object], ...]":
    return fields(group)  # type: ignore[arg-type]  # every group is a dataclass
