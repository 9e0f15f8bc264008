"""Everything that decides the rows of a run; a run is resumed only under the same spec."""

import json
from collections.abc import Iterator, Mapping
from hashlib import sha256
from importlib import metadata

from pydantic import Field, JsonValue

from genprm.model import ModelIdentity
from genprm.records.record import JsonObject, Record, without_surrogates
from genprm.records.version_0_1 import upgraded


def _version() -> str:
    return metadata.version("genprm")


class JudgeSpec(Record):
    """What decides the verdicts of a judge, apart from the solution.

    `model` is None for a judge without one (a baseline). `parts` are the judges of which this one
    is composed; in a cascade, the cheap one comes first.
    """

    judge: str  # kind of judge
    model: ModelIdentity | None = None  # model that judges
    settings: JsonObject = Field(default_factory=dict)  # settings that decide verdicts
    parts: tuple["JudgeSpec", ...] = ()  # judges that this one is composed of


class PolicySpec(Record):
    """What decides the solutions that a policy writes, apart from the problem and the seed."""

    model: ModelIdentity  # model that writes solutions
    settings: JsonObject = Field(default_factory=dict)  # settings that decide solutions


class RunSpec(Record):
    """What decides the rows of one command's output.

    `input` is a hash of everything that the command reads; `settings` are its own options.
    """

    genprm: str = Field(default_factory=_version)  # version of genprm
    command: str  # the command
    input: str | None = None  # hash of everything that the command reads
    judge: JudgeSpec | None = None  # what decides verdicts
    policy: PolicySpec | None = None  # what decides solutions
    settings: JsonObject = Field(default_factory=dict)  # the command's own options


def read_spec(text: bytes) -> RunSpec:
    """The spec in a run file, of this version or of version 0.1.

    Raises:
        ValueError: the text is neither.
    """
    stored = json.loads(text)
    if not isinstance(stored, dict):
        raise ValueError("not a JSON object")
    return RunSpec.model_validate(upgraded(stored))


def digest(value: object) -> str:
    """SHA-256 of a value's JSON, which identifies an input in a spec."""
    text = json.dumps(without_surrogates(value), sort_keys=True, default=str)
    return sha256(text.encode()).hexdigest()


def differences(stored: JsonValue, asked: JsonValue, name: str = "") -> Iterator[str]:
    """The fields in which two specs differ, each as `judge.settings.votes was 8 and is 4`."""
    if isinstance(stored, Mapping) and isinstance(asked, Mapping):
        for key in sorted({*stored, *asked}):
            yield from differences(stored.get(key), asked.get(key), f"{name}.{key}".lstrip("."))
    elif isinstance(stored, list) and isinstance(asked, list) and len(stored) == len(asked):
        for index, (one, other) in enumerate(zip(stored, asked, strict=True)):
            yield from differences(one, other, f"{name}.{index}")
    elif stored != asked:
        yield f"{name or 'the configuration'} was {_short(stored)} and is {_short(asked)}"


def _short(value: JsonValue) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:57]}…"
