"""Numbers and truth values of a request as JSON has them: a text or `true` is no number."""

from pydantic import BeforeValidator


def _number(value: object) -> object:
    if isinstance(value, bool | str):
        raise ValueError(
            f"is a number in JSON, not {'a text' if isinstance(value, str) else value}"
        )
    return value


def _truth(value: object) -> object:
    if not isinstance(value, bool):
        raise ValueError("is either true or false")
    return value


# After a field's bounds in `Annotated`: before them, the document would lose the bounds.
NUMBER = BeforeValidator(_number)
TRUTH = BeforeValidator(_truth)
