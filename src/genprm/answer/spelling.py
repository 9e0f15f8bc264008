"""Replaces Unicode spellings of signs and numbers with ASCII and TeX."""

import re
import unicodedata

_MINUS = "−﹣－‒"  # never anything else
_DASHES = "–—‐‑"  # a minus only where a number or a letter follows and nothing precedes
_DASH_AS_MINUS = re.compile(rf"(?<![^\s(\[{{=,:^*/+])[{_DASHES}](?=\s?[\d.\\(√]|[A-Za-z]\b)")
_SPACES = re.compile(r"[\u00a0\u2000-\u200a\u202f\u205f\u3000]")
_INVISIBLE = re.compile(r"[\u200b-\u200f\u2060-\u2064\ufeff\u00ad]")
_FULLWIDTH = {code: chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)}
_SIGNS = _FULLWIDTH | str.maketrans({**dict.fromkeys(_MINUS, "-"), "⁄": "/", "∕": "/", "٪": "%"})


def ascii_signs(text: str) -> str:
    """Replace minus signs, fullwidth characters and all kinds of spaces with ASCII."""
    if text.isascii():
        return text
    text = _SPACES.sub(" ", _INVISIBLE.sub("", text)).translate(_SIGNS)
    text = _DASH_AS_MINUS.sub("-", text)
    return "".join(
        str(unicodedata.decimal(character)) if character.isdecimal() else character
        for character in text
    )


_SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹⁻"
_SUPERSCRIPT = re.compile(f"[{_SUPERSCRIPTS}]+")
_SUPERSCRIPT_DIGITS = str.maketrans(_SUPERSCRIPTS, "0123456789-")
_SUBSCRIPT = re.compile("[₀-₉]+")
_SUBSCRIPT_DIGITS = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")
_VULGAR = re.compile(r"[¼-¾⅐-⅞]")
_TEX_SIGNS = {
    "×": r"\times ", "·": r"\cdot ", "⋅": r"\cdot ", "∙": r"\cdot ", "÷": r"\div ", "±": r"\pm ",
    "∓": r"\mp ", "∞": r"\infty ", "π": r"\pi ", "θ": r"\theta ", "≤": r"\le ", "≥": r"\ge ",
    "≠": r"\ne ", "∪": r"\cup ", "∩": r"\cap ", "∅": r"\emptyset ", "∈": r"\in ", "°": r"^\circ ",
    "√": r"\sqrt ", "′": "'", "→": r"\to ",
}  # fmt: skip
_TEX = str.maketrans(_TEX_SIGNS)
_ROOT = re.compile(r"√\s*(\d+(?:\.\d+)?|[A-Za-z])")
_DELIMITERS = re.compile(r"\\\(|\\\)|\\\[|\\\]|(?<!\\)\$")
_FONT = re.compile(r"\\(?:mathbf|mathrm|mathit|mathsf|boldsymbol|bm|operatorname)\s*\{([^{}]*)\}")
_TEXT = re.compile(r"\\(?:text|textbf|textit|textrm|mbox|hbox|textsf|emph)\s*\{([^{}]*)\}")
_SIZES = re.compile(r"\\(?:left|right|[bB]igg?[lr]?|displaystyle|textstyle|limits)(?![A-Za-z])\s*")
_SPACING = re.compile(
    r"(?<!\\)\\[,;:! ]|~|\\q?quad(?![A-Za-z])|\\(?:h|v)space\*?\{[^{}]*\}|\\phantom\{[^{}]*\}"
)
_ROOT_OF = re.compile(r"(?<![\\A-Za-z])\\?sqrt(?:\s*\(([^()]*)\)|\s?(\d+))")
_FUNCTION = re.compile(r"(?<![\\A-Za-z])(sin|cos|tan|cot|sec|csc|log|ln|pi)(?![A-Za-z])(\s*)")
_GROUPING = re.compile(r"\{,\}|,\\!\s?")
_EXPONENTIAL = re.compile(r"(?<![\\A-Za-z])\\?exp\s*\(([^()]*)\)")
_NAME_WITH_BAR = re.compile(r"\\(?:overline|overrightarrow|vec|widehat)\s*\{([A-Za-z]{1,3})\}")
_MARKDOWN = re.compile(r"^\s*(\*\*|__|\*|`)(.+?)\1\s*$", re.S)
_BRACELESS_FRACTION = re.compile(
    r"\\frac\s*(?:(\d)\s*(\d)|(\d)\s*(\{[^{}]*\})|(\{[^{}]*\})\s*(\d))"
)


def plain_tex(text: str) -> str:
    r"""Normalise notations: `½`, `\dfrac12` and `\tfrac{1}{2}` become `\frac{1}{2}`.

    Delimiters, fonts, sizes, Markdown and a final full stop are removed; the content of
    `\text{}` stays.
    """
    text = ascii_signs(text).strip()
    for _ in range(2):  # `**$5$**`, `$**5**$`
        if bold := _MARKDOWN.match(text):
            text = bold[2]
        text = _without_delimiters(text)
    text = text.translate(_TEX_LETTERS) if not text.isascii() else text
    if not text.isascii():
        text = _unicode_numbers(text)
    text = _SIZES.sub("", text)
    text = _ROOT_OF.sub(r"\\sqrt{\1\2}", text)
    text = _FUNCTION.sub(r"\\\1\2", text)
    text = _EXPONENTIAL.sub(r"e^{\1}", text)
    text = _NAME_WITH_BAR.sub(r"\1", text)
    text = _GROUPING.sub(",", text).replace(r"\%", "%").replace(r"\!", "")
    text = re.sub(r"\\[dtc]frac(?![A-Za-z])", r"\\frac", text)
    text = re.sub(r"\^\s*\{?\s*\\(?:circ|degree)\s*\}?|\\degree(?![A-Za-z])", "°", text)
    for pattern in (_FONT, _TEXT):
        text = pattern.sub(r"\1", text)
    text = re.sub(r"(\d)\\,(?=\d{3}(?!\d))", r"\1,", text)
    text = re.sub(r"\s*([<>=])\s*", r"\1", text)
    text = _SPACING.sub(" ", text)
    text = _BRACELESS_FRACTION.sub(_braced, text)
    text = re.sub(r"\s+", " ", text).strip()
    return text.removesuffix(".").strip()


_TEX_LETTERS = str.maketrans({"“": '"', "”": '"', "’": "'", "‘": "'"})


def _without_delimiters(text: str) -> str:
    stripped = text.strip()
    for start, end in (("$$", "$$"), ("$", "$"), ("\\(", "\\)"), ("\\[", "\\]")):
        inner = stripped[len(start) : len(stripped) - len(end)]
        is_around = stripped.startswith(start) and stripped.endswith(end)
        if is_around and inner and "$" not in inner and "\\(" not in inner:
            return inner.strip()
    if stripped.count("$") >= 2 and not re.search(r"\$\s?\d+(?:\.\d+)?(?:[\s,]|$)", stripped):
        return _DELIMITERS.sub("", stripped)
    return re.sub(r"\\[()\[\]]", "", stripped)


def _unicode_numbers(text: str) -> str:
    text = _ROOT.sub(r"\\sqrt{\1}", text)
    text = _SUBSCRIPT.sub(lambda run: f"_{{{run[0].translate(_SUBSCRIPT_DIGITS)}}}", text)
    text = _VULGAR.sub(lambda sign: " " + _vulgar(sign[0]), text)
    text = _SUPERSCRIPT.sub(lambda run: f"^{{{run[0].translate(_SUPERSCRIPT_DIGITS)}}}", text)
    return text.translate(_TEX)


def _vulgar(sign: str) -> str:
    top, _, bottom = unicodedata.normalize("NFKC", sign).partition("⁄")
    return rf"\frac{{{top}}}{{{bottom}}}"


def _braced(fraction: re.Match[str]) -> str:
    one, two, three, four, five, six = fraction.groups()
    top = one or three or five.strip("{}")
    bottom = two or (four or "").strip("{}") or six
    return rf"\frac{{{top}}}{{{bottom}}}"
