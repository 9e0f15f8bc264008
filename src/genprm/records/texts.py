"""Checks of foreign texts that a model is to read."""

from typing import Annotated, TypeAlias

from pydantic import AfterValidator

MAX_CHARACTERS = 100_000  # of a problem or a step: longer ones fit no model's context


def usable(text: str) -> str:
    """Return the text if a model can read it.

    Raises:
        ValueError: it is empty, too long, or contains characters that tokenizers do not accept.
    """
    if not text.strip():
        raise ValueError("is empty; fix: remove it or fill it")
    return clean(text)


def clean(text: str) -> str:
    """Return the text, which may be empty, if a model can read it.

    Raises:
        ValueError: as `usable`.
    """
    if len(text) > MAX_CHARACTERS:
        raise ValueError(
            f"has {len(text):,} characters; fix: shorten it to at most {MAX_CHARACTERS:,}"
        )
    if "\0" in text:
        raise ValueError("contains a NUL character; fix: remove the character")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("contains half a surrogate pair; fix: remove it") from None
    return text


UsableText: TypeAlias = Annotated[str, AfterValidator(usable)]
CleanText: TypeAlias = Annotated[str, AfterValidator(clean)]
