"""The token of an option such as `Yes`, and whether a tokenizer keeps it apart from the prompt.

The probability of an option is that of its token after the tokens of the prompt. A tokenizer that
joins the option with the text before it would never produce that token there.
"""

from collections.abc import Callable, Sequence

from genprm.errors import ModelError

TAIL = 24
"""Characters at the end of a prompt that decide whether an option is joined with them."""


def option_token(
    name: str, option: str, alone: Sequence[int], tail: Sequence[int], joined: Sequence[int]
) -> int:
    """The option's token, from the tokens of the option, of the prompt's end, and of both.

    Raises:
        ModelError: it is not one token, or it is joined with the text before it.
    """
    if len(alone) != 1:
        raise ModelError(
            f"{name}: {option!r} is {len(alone)} tokens and must be one; "
            "fix: use another model, or the model's own tokenizer; "
            "more: genprm explain option-tokens"
        )
    if list(joined) != [*tail, *alone]:
        raise ModelError(
            f"{name}: its tokenizer joins {option!r} with the text before it, so its "
            "probability cannot be read; fix: use a model with a byte-level tokenizer; "
            "more: genprm explain option-tokens"
        )
    return alone[0]


class OptionTokens:
    """Tokens of options, for an engine with a local tokenizer; each prompt end is checked once."""

    def __init__(self, name: str, encode: Callable[[str], Sequence[int]]) -> None:
        self._name = name
        self._encode = encode
        self._known: dict[tuple[str, str], int] = {}

    def token(self, prompt: str, option: str) -> int:
        """The option's token behind `prompt`; raises as `option_token`."""
        tail = prompt[-TAIL:]
        if (tail, option) not in self._known:
            self._known[tail, option] = option_token(
                self._name,
                option,
                self._encode(option),
                self._encode(tail),
                self._encode(tail + option),
            )
        return self._known[tail, option]
