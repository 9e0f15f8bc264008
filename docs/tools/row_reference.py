"""The page of every stored or exchanged row, from the schemas that `genprm schema` prints."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import is_dataclass
from typing import Any, get_args, get_type_hints

from pydantic import BaseModel

from docs.tools.comments import comments
from docs.tools.markdown import cell, table
from genprm.cli.commands.schema import RowName, row_schema, row_type

TITLE = "Fields of every row"

Schema = Mapping[str, Any]


def page() -> str:
    """The page, in Markdown."""
    parts = [
        f"# {TITLE}\n",
        "`genprm schema NAME` prints the JSON Schema of each of these. A field with a type that "
        "links to a heading holds an object of that kind. [Rows, flags and schemas](verdicts.md) "
        "explains how to read a verdict.\n",
    ]
    shared: dict[str, Schema] = {}
    types: dict[str, type] = {}
    for name in RowName:
        schema: Schema = row_schema(name)
        shared |= schema.get("$defs", {})
        types |= {kind.__name__: kind for kind in _types(row_type(name), set())}
        parts.append(_section(f"{name}", schema, comments(row_type(name))))
    parts.append("# Objects inside rows\n")
    parts += [
        _section(name, shared[name], comments(types[name]) if name in types else {})
        for name in sorted(shared)
    ]
    return "\n".join(parts)


def _types(kind: Any, seen: set[Any]) -> Iterator[type]:
    """The class and all classes that its fields hold."""
    if kind in seen:
        return
    seen.add(kind)
    if isinstance(kind, type) and (issubclass(kind, BaseModel) or is_dataclass(kind)):
        yield kind
        for hint in get_type_hints(kind).values():
            yield from _types(hint, seen)
    for part in get_args(kind):
        if not isinstance(part, str | list):
            yield from _types(part, seen)


def _section(name: str, schema: Schema, meanings: Mapping[str, str]) -> str:
    described = schema.get("description", "")
    parts = [f"## {name}\n"]
    if described:
        paragraphs = [_in_json(cell(part)) for part in described.split("\n\n")]
        parts.append("\n\n".join(paragraphs) + "\n")
    if "enum" in schema:
        values = ", ".join(f"`{value}`" for value in schema["enum"])
        parts.append(f"One of {values}.\n")
        return "\n".join(parts)
    needed = set(schema.get("required", ()))
    rows = [
        (
            f"`{field}`",
            _type(spec),
            "yes" if field in needed else "no",
            " ".join(filter(None, [_in_json(cell(meanings.get(field, ""))), _note(spec)])),
        )
        for field, spec in schema.get("properties", {}).items()
    ]
    if rows:
        parts.append(table(("field", "type", "always there", "meaning"), rows))
    return "\n".join(parts)


def _in_json(text: str) -> str:
    """The text with JSON's names in place of Python's."""
    for python, json in (("None", "null"), ("True", "true"), ("False", "false")):
        text = re.sub(rf"\b{python}\b", json, text)
    return text


def _type(spec: Schema) -> str:
    if "$ref" in spec:
        name = str(spec["$ref"]).rsplit("/", 1)[-1]
        return f"[{name}](#{name.lower()})"
    if "anyOf" in spec:
        return " or ".join(_type(one) for one in spec["anyOf"])
    if "const" in spec:
        return f"`{spec['const']}`"
    if "enum" in spec:
        return ", ".join(f"`{value}`" for value in spec["enum"])
    kind = spec.get("type", "any value")
    if kind == "array":
        if "prefixItems" in spec:
            return "(" + ", ".join(_type(one) for one in spec["prefixItems"]) + ")"
        return f"list of {_type(spec.get('items', {}))}"
    if kind == "object" and isinstance(spec.get("additionalProperties"), Mapping):
        return f"object of {_type(spec['additionalProperties'])}"
    return str(kind)


def _note(spec: Schema) -> str:
    notes = [cell(spec["description"])] if "description" in spec else []
    if "default" in spec and spec["default"] not in (None, {}, []):
        notes.append(f"Default: `{spec['default']}`.")
    return " ".join(notes)
