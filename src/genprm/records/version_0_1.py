"""Reads run files of version 0.1, which held one flat table, as today's `RunSpec`."""

from collections.abc import Mapping

from pydantic import JsonValue

_SPEC = frozenset({"genprm", "command", "input", "judge", "policy", "settings"})
_COMMANDS = ("rank", "refine", "search", "sample")


def upgraded(stored: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """The fields of a `RunSpec`; a table of today's form is returned as it is."""
    if set(stored) <= _SPEC and not isinstance(stored.get("judge"), str) and "model" not in stored:
        return dict(stored)
    command = stored.get("command")
    own: JsonValue
    if command in _COMMANDS:
        known = {*_SPEC, "model", "cascade", "judging"}
        own = {name: value for name, value in stored.items() if name not in known}
        nested = own.get(str(command))
        own = nested if isinstance(nested, dict) else own
        judging, models = stored.get("judging"), stored.get("model")
        model = models[0] if isinstance(models, list) else None
    else:
        own, judging, model = {}, stored.get("settings"), stored.get("model")
    return {
        "genprm": stored.get("genprm", "0.1.0"),
        "command": command,
        "input": stored.get("input"),
        "judge": _judge(stored.get("judge"), model, judging),
        "settings": own,
    }


def _judge(name: JsonValue, model: JsonValue, settings: JsonValue) -> JsonValue:
    if model is None and settings is None:
        return None
    identity: JsonValue = {"name": model, "engine": "unknown", "engine_version": "unknown"}
    return {
        "judge": name or "genprm",
        "model": None if model is None else identity,
        "settings": settings or {},
    }
