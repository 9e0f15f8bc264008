"""Numbers and truth values of a request are those of JSON: a string or `true` is no number."""

from pydantic import BeforeValidator


def _number(value: object) -> object:
    if isinstance(value, bool | str):
        raise ValueError(
            f"must be a number, not {'a string' if isinstance(value, str) else 'true or false'}"
        )
    return value


def _truth(value: object) -> object:
    if not isinstance(value, bool):
        raise ValueError("must be true or false")
    return value


# After a field's bounds in `Annotated`: before them, the document would lose the bounds.
NUMBER = BeforeValidator(_number)
TRUTH = BeforeValidator(_truth)
