"""The page of every field of a recipe, written from the models that read recipes."""

import inspect
from enum import Enum
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from docs.tools.comments import comments
from docs.tools.markdown import cell, table
from genprm.cli.recipes import Recipe

TITLE = "Fields of a recipe"


def page() -> str:
    """The page, in Markdown."""
    parts = [
        f"# {TITLE}\n",
        "A recipe is a TOML file for `genprm curate` and `genprm train`; `recipes/` has examples, "
        "and [training data](../training-data.md) describes the stages. An unknown field is "
        "refused. Where a default is shown, the field may be left out.\n",
    ]
    for path, model in _tables("", Recipe):
        parts.append(_section(path, model))
    return "\n".join(parts)


def _tables(path: str, model: type[BaseModel]) -> list[tuple[str, type[BaseModel]]]:
    """(path, model) of every table that a recipe can hold, parents first."""
    found = [(path, model)] if path else []
    for name, field in model.model_fields.items():
        for kind in _kinds(field.annotation):
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                found += _tables(f"{path}.{name}" if path else name, kind)
    return found


def _kinds(annotation: Any) -> list[Any]:
    inside = [kind for part in get_args(annotation) for kind in _kinds(part)]
    return [annotation, *inside] if not get_args(annotation) else inside


def _section(path: str, model: type[BaseModel]) -> str:
    told = comments(model)
    rows = [
        (f"`{name}`", _type(field.annotation), _default(field), cell(told.get(name, "")))
        for name, field in model.model_fields.items()
        if not _is_table(field)
    ]
    values = [
        f"- `{name}`: {choice}" for name, field in model.model_fields.items()
        for choice in _choices(field.annotation)
    ]  # fmt: skip
    parts = [f"## [{path}]\n", cell(inspect.getdoc(model) or "") + "\n"]
    if rows:
        parts.append(table(("field", "type", "default", "meaning"), rows))
    if values:
        parts.append("\n".join(values) + "\n")
    return "\n".join(parts)


def _is_table(field: FieldInfo) -> bool:
    kinds = _kinds(field.annotation)
    return (
        any(isinstance(kind, type) and issubclass(kind, BaseModel) for kind in kinds)
        and get_origin(field.annotation) is not tuple
    )


def _type(annotation: Any) -> str:
    origin = get_origin(annotation)
    if origin is Annotated:
        return _type(get_args(annotation)[0])
    if origin in (Union, UnionType):
        return " or ".join(_type(part) for part in get_args(annotation) if part is not type(None))
    if origin is tuple:
        return f"list of {_type(get_args(annotation)[0])}"
    if get_args(annotation) and origin is not None:
        return ", ".join(f"`{value}`" for value in get_args(annotation))
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return ", ".join(f"`{member.value}`" for member in annotation)
    names = {"str": "text", "int": "whole number", "float": "number", "bool": "true or false"}
    plain = getattr(annotation, "__name__", str(annotation))
    return names.get(plain, plain)


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "**required**"
    value = field.default
    if value is None:
        return "none"
    if isinstance(value, tuple):
        shown = ", ".join(_literal(one) for one in value)
        return f"`[{shown}]`"
    return f"`{_literal(value)}`"


def _literal(value: Any) -> str:
    if isinstance(value, Enum):
        value = value.value
    if isinstance(value, BaseModel):
        inside = ", ".join(f"{name} = {_literal(one)}" for name, one in value)
        return f"{{ {inside} }}"
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else str(value)


def _choices(annotation: Any) -> list[str]:
    """What each value of an enumeration means, where its source says so."""
    lines = []
    for kind in _kinds(annotation):
        if isinstance(kind, type) and issubclass(kind, Enum):
            told = comments(kind)
            lines += [
                f"`{member.value}`: {cell(told[member.name])}"
                for member in kind
                if member.name in told
            ]
    return lines
