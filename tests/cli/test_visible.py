"""No control character of a model's or a person's text reaches the terminal."""

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from genprm.cli.terminal.visible import visible


@given(st.text())
def test_nothing_that_controls_a_terminal_is_left(text: str) -> None:
    shown = visible(text)
    assert all(char in "\n\t" or unicodedata.category(char) != "Cc" for char in shown)
    assert not any("\u202a" <= char <= "\u202e" or "\u2066" <= char <= "\u2069" for char in shown)


@given(st.text(st.characters(exclude_categories=("Cc", "Cf", "Cs"))))
def test_other_text_stays_as_it_is(text: str) -> None:
    assert visible(text) == text


def test_an_escape_is_seen() -> None:
    assert visible("\x1b]52;c;cGF5bG9hZA==\x07") == "␛]52;c;cGF5bG9hZA==␇"
    assert visible("a\u202eb") == "a<U+202E>b"
