"""Settings of an engine, as given on the command line: `--engine-arg key=value`."""

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from genprm.errors import InputError


def parse_engine_args(words: Iterable[str]) -> dict[str, str]:
    """`["slots=2", "threads=4"]` as a mapping.

    Raises:
        InputError: a word is not KEY=VALUE.
    """
    parsed = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not key or not equals:
            raise InputError(f"--engine-arg {word}: fix: write it as key=value")
        parsed[key.strip().replace("-", "_")] = value.strip()
    return parsed


class EngineArgs:
    """Provides the settings that an adapter knows, each with its type, and refuses the rest."""

    def __init__(self, model: str, given: Mapping[str, str]) -> None:
        self._model = model
        self._left = dict(given)
        self._known: list[str] = []

    def integers(self, *names: str) -> dict[str, Any]:
        """Those of `names` that were given, as positive whole numbers."""
        return self._take(names, int, "a positive whole number")

    def numbers(self, *names: str) -> dict[str, Any]:
        """Those of `names` that were given, as positive numbers."""
        return self._take(names, float, "a positive number")

    def flags(self, *names: str) -> dict[str, Any]:
        """Those of `names` that were given, as true or false."""
        return self._take(names, _flag, "true or false")

    def texts(self, *names: str) -> dict[str, Any]:
        """Those of `names` that were given, as they were written."""
        return self._take(names, str, "a word")

    def parsed(self) -> dict[str, Any]:
        """All settings, each parsed as JSON if possible, for engines that check them."""
        return {name: _json_or_text(value) for name, value in self._left.items()}

    def finish(self) -> None:
        """Refuse settings that no adapter has asked for.

        Raises:
            InputError: there are some; the message lists the settings of this engine.
        """
        if self._left:
            raise InputError(
                f"--engine-arg {next(iter(self._left))}: the engine of {self._model} has no such "
                f"setting; fix: name one of {', '.join(self._known)}; "
                "more: genprm explain engine-args"
            )

    def _take(self, names: Iterable[str], kind: Callable[[str], Any], what: str) -> dict[str, Any]:
        taken = {}
        for name in names:
            self._known.append(name)
            if name not in self._left:
                continue
            word = self._left.pop(name)
            try:
                taken[name] = kind(word)
                if kind in (int, float) and not taken[name] > 0:
                    raise ValueError
            except ValueError:
                raise InputError(f"--engine-arg {name}={word}: fix: {what}") from None
        return taken


def _flag(word: str) -> bool:
    if word.lower() not in ("true", "false"):
        raise ValueError(word)
    return word.lower() == "true"


def _json_or_text(word: str) -> Any:
    try:
        return json.loads(word)
    except ValueError:
        return word
