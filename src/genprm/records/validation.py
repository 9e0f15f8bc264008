"""Turns a validation error into one line that names the field and the fix."""

from collections.abc import Mapping

from pydantic import ValidationError

_LONGEST = 300
_FIXES = {
    "missing": "add it",
    "extra_forbidden": "remove it",
    "string_type": "a text in quotes",
    "int_type": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "tuple_type": "a list",
    "list_type": "a list",
    "dict_type": "an object",
    "model_type": "an object",
    "model_attributes_type": "an object",
    "json_invalid": "one JSON object on each line",
}
_MESSAGES = {"missing": "missing", "extra_forbidden": "unknown"}


def first_fault(error: ValidationError) -> str:
    """The first wrong field, what is wrong with it, and the fix."""
    line = field_fault(error)
    if "fix:" in line:
        return line
    return f"{line}; fix: {_FIXES.get(error.errors(include_url=False)[0]['type'], 'correct it')}"


def field_fault(error: ValidationError) -> str:
    """The first wrong field and what is wrong with it, for a caller that knows the fix."""
    return told(error.errors(include_url=False)[0])


def told(fault: Mapping[str, object]) -> str:
    """One of `ValidationError.errors()` as `field NAME: what is wrong with it`."""
    location = fault["loc"]
    field = ".".join(map(str, location)) if isinstance(location, tuple) else ""
    message = str(fault["msg"]).removeprefix("Value error, ")
    message = _MESSAGES.get(str(fault["type"]), message)
    line = f"field {field}: {message}" if field else message
    return " ".join(line.split())[:_LONGEST]
