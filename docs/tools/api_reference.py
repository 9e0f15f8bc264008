"""The page of the public Python names, written from signatures and docstrings."""

import enum
import importlib
import inspect
import re
from dataclasses import is_dataclass
from typing import Any

from docs.tools.markdown import cell

TITLE = "Python"

# (module, heading, names; None: those of __all__)
MODULES: tuple[tuple[str, tuple[str, ...] | None], ...] = (
    ("genprm", None),
    ("genprm.model", ("Model", "Message", "Completion", "Choice", "Finish", "ModelIdentity")),
    ("genprm.sandbox", ("SandboxBackend", "SandboxSession", "RunResult", "RunStatus")),
    ("genprm.verdict", ("Flag", "Usage", "Run")),
    ("genprm.verify.judge", ("StepJudge", "StepHistory")),
    ("genprm.client", None),
    ("genprm.rewards.judges", ("InProcess", "Service")),
    ("genprm.rewards.scoring", ("Kind", "Scoring")),
    ("genprm.rewards.trl", ("GenPRMReward", "AsyncGenPRMReward")),
    ("genprm.answer", None),
    ("genprm.errors", ()),
)


def page() -> str:
    """The page, in Markdown."""
    parts = [
        f"# {TITLE}\n",
        "The names that other programs may rely on. Everything else may change between releases. "
        "The [start page](../start.md#in-python) shows how they fit together.\n",
    ]
    for name, chosen in MODULES:
        module = importlib.import_module(name)
        parts.append(f"## {name}\n")
        parts.append(_prose(inspect.getdoc(module)) + "\n")
        names = chosen if chosen is not None else tuple(getattr(module, "__all__", ()))
        for one in names:
            if one != "__version__" and hasattr(module, one):
                parts.append(_object(one, getattr(module, one)))
    return "\n".join(parts)


def _object(name: str, value: Any) -> str:
    parts = [f"### {name}\n"]
    if isinstance(value, type) and issubclass(value, enum.Enum):
        members = ", ".join(f"`{member.value}`" for member in value)
        return "\n".join([*parts, _prose(inspect.getdoc(value)) + "\n", f"One of {members}.\n"])
    parts.append(f"```text\n{name}{_signature(value)}\n```\n")
    parts.append(_prose(inspect.getdoc(value)) + "\n")
    if isinstance(value, type):
        parts += [_member(member, kind) for member, kind in _members(value)]
    return "\n".join(parts)


def _members(cls: type) -> list[tuple[str, Any]]:
    """Public methods and properties that the class itself documents."""
    return [
        (name, member)
        for name, member in vars(cls).items()
        if not name.startswith("_")
        and (inspect.isfunction(member) or isinstance(member, property | classmethod))
        and inspect.getdoc(member)
    ]


def _member(name: str, member: Any) -> str:
    if isinstance(member, property):
        return f"- **`{name}`** (property): {_inline(inspect.getdoc(member))}"
    plain = getattr(member, "__func__", member)
    prefix = "await " if inspect.iscoroutinefunction(plain) else ""
    return (
        f"- **`{prefix}{name}{_signature(plain, method=True)}`**: {_inline(inspect.getdoc(plain))}"
    )


def _signature(value: Any, *, method: bool = False) -> str:
    try:
        found = inspect.signature(value)
    except (TypeError, ValueError):
        return "(…)"
    if getattr(value, "_is_protocol", False) or (
        isinstance(value, type) and issubclass(value, Exception | dict)
    ):
        return ""
    parameters = list(found.parameters.values())
    if method and parameters and parameters[0].name in ("self", "cls"):
        parameters = parameters[1:]
    if is_dataclass(value):
        parameters = [one for one in parameters if not one.name.startswith("_")]
    text = str(found.replace(parameters=[_short(one) for one in parameters]))
    text = text.removesuffix(" -> None") if isinstance(value, type) else text
    text = re.sub(r"<factory>|<[^<>]* object at 0x[0-9a-f]+>", "…", text)
    return re.sub(r"\b(?:genprm|collections|pathlib)(?:\.\w+)*\.(\w+)", r"\1", text)


class _Verbatim:
    """A default as it is shown."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return self.text


def _short(parameter: inspect.Parameter) -> inspect.Parameter:
    """A default that is an object of ours is shown by what makes it, not in full."""
    default = parameter.default
    if isinstance(default, enum.Enum):
        return parameter.replace(default=_Verbatim(repr(default.value)))
    if is_dataclass(default):
        return parameter.replace(default=_Verbatim(f"{type(default).__name__}()"))
    return parameter


def _inline(text: str | None) -> str:
    return " ".join(cell(text or "").split()) + "\n"


def _prose(text: str | None) -> str:
    """A docstring as paragraphs; examples and drawings in it stay as they are."""
    parts = []
    for paragraph in (text or "").split("\n\n"):
        if paragraph.startswith((">>>", " ")):
            parts.append(f"```text\n{paragraph}\n```")
        elif paragraph.startswith(("Raises:", "Args:")):
            parts.append(_items(paragraph))
        elif re.search(r"\S {3,}\S", paragraph):  # columns
            parts.append(f"```text\n{paragraph}\n```")
        else:
            parts.append(cell(paragraph))
    return "\n\n".join(parts)


def _items(paragraph: str) -> str:
    head, *items = re.split(r"\n {4}(?=\S)", paragraph)
    title = {"Raises:": "Raises:", "Args:": "Arguments:"}[head]
    return f"{title}\n\n" + "\n".join(f"- {cell(item)}" for item in items)
