"""What is wrong with data from outside, as one line that names the field and the fix."""

from pydantic import ValidationError

_LONGEST = 200


def first_fault(error: ValidationError) -> str:
    """The first field at fault, what is wrong with it, and the fix."""
    fault = error.errors(include_url=False)[0]
    field = ".".join(str(part) for part in fault["loc"])
    message = fault["msg"].removeprefix("Value error, ")
    if fault["type"] == "missing":
        message = "missing; fix: add it"
    elif fault["type"] == "extra_forbidden":
        message = "unknown; fix: remove it"
    line = f"field {field}: {message}" if field else message
    return " ".join(line.split())[:_LONGEST]
