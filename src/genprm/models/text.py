"""What every in-process engine checks about a prompt before it reaches a tokenizer."""

from genprm.errors import ContextExceeded, RequestFailed


def check_text(name: str, prompt: str) -> None:
    """Refuse text that tokenizers cannot handle; each of them would fail in another way.

    Raises:
        RequestFailed: `prompt` contains half a surrogate pair.
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
        ContextExceeded: it leaves none.
    """
    if tokens >= context_length:
        raise ContextExceeded(
            f"{name}: a prompt of {tokens} tokens in a context of {context_length}"
        )
