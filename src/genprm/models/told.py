"""Optional details in a server's reply; in an unknown shape they count as absent."""

from typing import Annotated, TypeVar

from pydantic import ValidationError, WrapValidator
from pydantic_core.core_schema import ValidatorFunctionWrapHandler

T = TypeVar("T")


def _or_unknown(value: object, validate: ValidatorFunctionWrapHandler) -> object:
    try:
        return validate(value)
    except ValidationError:
        return None


Told = Annotated[T | None, WrapValidator(_or_unknown)]
"""A detail of this type, or None."""
