"""`genprm explain`: what an error message means, and what to do about it."""

import re
from importlib import resources
from typing import Annotated

import typer


def explanations() -> dict[str, str]:
    """{topic: its text in Markdown}, in the order of the file."""
    text = (resources.files("genprm.cli") / "explanations.md").read_text("utf-8")
    parts = re.split(r"^## (\S+)\n\n", text, flags=re.M)[1:]
    return dict(zip(parts[::2], (part.strip() for part in parts[1::2]), strict=True))


def explain(
    topic: Annotated[
        str | None,
        typer.Argument(help="The topic that an error message names; by default, list all topics."),
    ] = None,
) -> None:
    """Explain an error message: what it means and what to do."""
    from genprm.errors import InputError

    known = explanations()
    if topic is None:
        typer.echo("\n".join(known))
    elif topic in known:
        typer.echo(_without_links(known[topic]))
    else:
        raise InputError(f"no explanation {topic!r}; fix: name one of {', '.join(known)}")


def _without_links(text: str) -> str:
    """The text for a terminal: links name the page's file in the repository."""
    named = re.sub(r"\[([^]]+)\]\(\.\./([^)#]+)[^)]*\)", r"\1 (docs/\2)", text)
    return re.sub(r"\[([^]]+)\]\(([^)#]+)[^)]*\)", r"\1 (docs/reference/\2)", named)
