"""Makes text that people or models wrote safe for a terminal, by showing control characters."""

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.text import Text

# C0 but tab and line feed, DEL, C1, and the characters that change the direction of a line
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_SYMBOLS = 0x2400  # Unicode's pictures of the C0 controls begin here


def visible(text: str) -> str:
    """The same text with every control character replaced by a symbol or its number.

    Escape sequences could otherwise write to the clipboard, hide text, or change what is shown.
    """
    return _CONTROLS.sub(_symbol, text.replace("\r\n", "\n"))


def plain(text: str, style: str = "") -> "Text":
    """Untrusted text for rich: without markup and without control characters."""
    from rich.text import Text  # every command imports this module; `genprm --help` is plain text

    return Text(visible(text), style)


def _symbol(match: re.Match[str]) -> str:
    code = ord(match[0])
    return chr(_SYMBOLS + code) if code < 0x20 else f"<U+{code:04X}>"
