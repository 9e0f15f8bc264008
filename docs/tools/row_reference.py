"""The page of every stored or exchanged row, from the schemas that `genprm schema` prints."""

from collections.abc import Mapping
from typing import Any

from docs.tools.markdown import cell, table
from genprm.cli.commands.schema import RowName, row_schema

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
    for name in RowName:
        schema: Schema = row_schema(name)
        shared |= schema.get("$defs", {})
        parts.append(_section(f"{name}", schema))
    parts.append("# Objects inside rows\n")
    parts += [_section(name, shared[name]) for name in sorted(shared)]
    return "\n".join(parts)


def _section(name: str, schema: Schema) -> str:
    described = schema.get("description", "")
    parts = [f"## {name}\n"]
    if described:
        paragraphs = [cell(part) for part in described.split("\n\n")]
        parts.append("\n\n".join(paragraphs) + "\n")
    if "enum" in schema:
        values = ", ".join(f"`{value}`" for value in schema["enum"])
        parts.append(f"One of {values}.\n")
        return "\n".join(parts)
    needed = set(schema.get("required", ()))
    rows = [
        (f"`{field}`", _type(spec), "yes" if field in needed else "no", _note(spec))
        for field, spec in schema.get("properties", {}).items()
    ]
    if rows:
        parts.append(table(("field", "type", "always there", "notes"), rows))
    return "\n".join(parts)


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
