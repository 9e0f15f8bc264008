"""Recipes: TOML files, checked field by field before anything runs."""

import json
import tomllib
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from genprm.errors import InputError
from genprm.records.validation import told


class Table(BaseModel):
    """One table of a recipe: unknown fields are refused, and values are not coerced."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


Shape = TypeVar("Shape", bound=Table)


def read_recipe(path: Path, shape: type[Shape]) -> Shape:
    """Read a recipe.

    Raises:
        InputError: one line that names the file, the field and the fix.
    """
    try:
        content = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot read it: {error}") from None
    except (ValueError, RecursionError) as error:  # also numbers and nesting without end
        raise InputError(f"{path}: this is not TOML ({error}); fix: correct the file") from None
    return check_recipe(content, shape, origin=str(path))


def check_recipe(content: Mapping[str, object], shape: type[Shape], *, origin: str) -> Shape:
    """Parse the recipe in `content`; raises as `read_recipe`."""
    try:
        return shape.model_validate_json(json.dumps(content, default=str))  # JSON spells enums
    except ValidationError as error:
        raise InputError(f"{origin}: {_fault(error, shape)}") from None


def _fault(error: ValidationError, shape: type[Table]) -> str:
    """The first fault and its fix; unknown fields come first, since they are often misspelled."""
    faults = error.errors(include_url=False)
    fault = next((one for one in faults if one["type"] == "extra_forbidden"), faults[0])
    if fault["type"] == "extra_forbidden":
        near = get_close_matches(str(fault["loc"][-1]), _fields(shape, fault["loc"][:-1]), n=1)
        fix = f"did you mean {near[0]}?" if near else "remove it"
        return f"{told(dict(fault))}; fix: {fix}"
    if fault["type"] == "missing":
        return f"{told(dict(fault))}; fix: add it"
    return f"{told(dict(fault))}, not {fault['input']!r}" if fault["loc"] else told(dict(fault))


def _fields(shape: type[BaseModel], path: tuple[int | str, ...]) -> list[str]:
    """Names of the fields of the table at `path`; none if there is a list on the way."""
    for part in path:
        field = shape.model_fields.get(str(part))
        kinds = [field.annotation, *getattr(field.annotation, "__args__", ())] if field else []
        tables = [k for k in kinds if isinstance(k, type) and issubclass(k, BaseModel)]
        if not tables:
            return []
        shape = tables[0]
    return list(shape.model_fields)
