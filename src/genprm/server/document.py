"""The OpenAPI document with the limits of the service that it describes."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from fastapi import FastAPI

from genprm.server.limits import ServiceLimits
from genprm.verify.settings import Settings


def document_limits(app: FastAPI, limits: ServiceLimits, settings: Settings) -> None:
    """Have the document name the greatest value of each bounded field, in bodies and queries."""
    without: Callable[[], dict[str, Any]] = app.openapi
    greatest: Mapping[str, float] = {
        "votes": max(limits.votes, settings.votes),
        "max_tokens": max(limits.tokens, settings.limits.tokens),
        "thought_tokens": max(limits.tokens, settings.limits.thought_tokens),
        "code_timeout": max(limits.code_seconds, settings.code_timeout),
        "seconds": limits.seconds,
    }

    def openapi() -> dict[str, Any]:
        found = without()
        for name, field in _fields(found):
            if name in greatest:
                for kind in field.get("anyOf", [field]):
                    if kind.get("type") in ("integer", "number"):
                        kind["maximum"] = greatest[name]
        return found

    app.openapi = openapi  # type: ignore[method-assign]


def _fields(found: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """What is asked, by name; the records that are answered have other names."""
    for schema in found.get("components", {}).get("schemas", {}).values():
        if "max_tokens" in schema.get("properties", {}):
            yield from schema["properties"].items()
    for path in found.get("paths", {}).values():
        for operation in path.values():
            for parameter in operation.get("parameters", ()):
                yield parameter["name"], parameter["schema"]
