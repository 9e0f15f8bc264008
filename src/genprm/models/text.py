"""What every in-process engine checks about a prompt before it reaches a tokenizer."""

from genprm.errors import ContextExceeded, RequestFailed


def check_text(name: str, prompt: str) -> None:
    """Refuse what no tokenizer takes; each fails on it in a way of its own.

    Raises:
        RequestFailed: `prompt` holds half a surrogate pair, so it is no text.
    """
    try:
        prompt.encode()
    except UnicodeEncodeError as error:
        raise RequestFailed(
            f"{name}: character {error.start} of the prompt is half a surrogate pair; "
            "fix: remove it"
        ) from None


def check_room(name: str, tokens: int, context_length: int) -> None:
    """Refuse a prompt that leaves no room for another token.

    Raises:
        ContextExceeded: it does not.
    """
    if tokens >= context_length:
        raise ContextExceeded(
            f"{name}: a prompt of {tokens} tokens in a context of {context_length}"
        )
