r"""Converts the many ways in which people write arithmetic into Python's notation.

`plain` never changes what a text claims: it converts `\frac{3}{4}`, `3 × 4`, `$1,200`, `20% of 40`,
`40 minus 17`, `half of 50`, `12 boxes * 5` and similar text into plain expressions, and leaves
everything else unchanged.
"""

import re
from collections.abc import Callable

Rule = tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]]

NUMBER = r"\d+(?:\.\d+)?|\.\d+"
_WORDS = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"),
    *("eleven", "twelve"),
)
_TERM = rf"(?:{NUMBER})(?:\s*/\s*\d+)?"
_UNIT = r"[A-Za-z]+"
_SKIP = r"(?:of|is|are|more|less|than|times|plus|minus|divided|equals|makes|gives|and|to|in|per|x)"


def _rule(pattern: str, plain: str | Callable[[re.Match[str]], str]) -> Rule:
    return re.compile(pattern), plain


def _number_word(match: re.Match[str]) -> str:
    return str(_WORDS.index(match[0].lower()))


_SYMBOLS: tuple[Rule, ...] = (
    _rule(r"\\boxed\{([^{}]*)\}", r"\1"),
    _rule(r"\\text\{([^{}]*)\}", r" \1 "),
    _rule(r"\\(?:times|cdot)|[×·]", " * "),
    _rule(r"\\div|÷", "/"),
    _rule(r"\\[dt]?frac\s*\{([^{}]*)\}\s*\{([^{}]*)\}", r"((\1)/(\2))"),
    _rule(r"\\sqrt\s*\{([^{}]*)\}", r"sqrt(\1)"),
    _rule(r"√\s*\(?(\d+)\)?", r"sqrt(\1)"),
    _rule(r"\\(?:left|right|[!,;: ()\[\]])", ""),
    _rule(r"\\%", "%"),
    _rule(r"\\?[$€£]", ""),
    _rule(r"\*\*(?=[^\d\s(*])|(?<=[^\d\s)*])\*\*", ""),
    _rule(r"(?<=[=:]) ?\*\*([-+]?[\d.,]+)\*\*", r" \1"),
    _rule(r"[−–]", "-"),
    _rule(r"²", "^2"),
    _rule(r"³", "^3"),
    _rule(r"\^\{([^{}]*)\}", r"^(\1)"),
    _rule(r"\^", "**"),
    _rule(r"(?<=\d),(?=\d{3}\b)", ""),
    _rule(r"(?<=[\d)%]) ?x ?(?=[\d($.])", " * "),
    _rule(r"^\s*(?:\d{1,2}[.)]|[-*•])\s+", ""),  # the mark of a list
    _rule(r"^\s*[Ss]tep \d+[:.]\s*", ""),
)
_PHRASES: tuple[Rule, ...] = (
    _rule(rf"(?i)\b(?:{'|'.join(_WORDS[1:])})\b(?! of\b)", _number_word),
    _rule(r"(?i)(?<=\d) percent\b", "%"),
    _rule(r"(?i)(?<=[\d)%]) (?:multiplied by|times) (?=[\d(])", " * "),
    _rule(r"(?i)(?<=[\d)%]) divided by (?=[\d(])", " / "),
    _rule(r"(?i)(?<=[\d)%]) plus (?=[\d(])", " + "),
    _rule(r"(?i)(?<=[\d)%]) minus (?=[\d(])", " - "),
    _rule(rf"(?i)\bhalf of (?:the )?({NUMBER})", r"(\1 / 2)"),
    _rule(rf"(?i)\ba third of (?:the )?({NUMBER})", r"(\1 / 3)"),
    _rule(rf"(?i)\ba (?:quarter|fourth) of (?:the )?({NUMBER})", r"(\1 / 4)"),
    _rule(rf"(?i)\b(?:double|twice)(?: of)? ({NUMBER})", r"(2 * \1)"),
    _rule(rf"(?i)\bthe sum of ({NUMBER}) and ({NUMBER})", r"(\1 + \2)"),
    _rule(rf"(?i)\bthe product of ({NUMBER}) and ({NUMBER})", r"(\1 * \2)"),
    _rule(rf"(?i)\b({NUMBER}) less than ({NUMBER})", r"(\2 - \1)"),
    _rule(rf"(?i)\b({NUMBER}) more than ({NUMBER})", r"(\2 + \1)"),
    _rule(rf"({NUMBER})\s*% of (?:the )?({NUMBER})(?!\s*%)", r"((\1 / 100) * \2)"),
    _rule(r"(?<![\d/.])(\d+/\d+) of (?:the )?(\d+)", r"((\1) * \2)"),
)
_EQUALS = _rule(r"(?i)(?<=[\d)%]) (?:equals|is equal to|makes|gives|is|are) (?=[-\d(])", " = ")


_ENDLESS = re.compile(r"[\d.,]{200,}")  # no number that is calculated with; patterns would crawl


def plain(text: str) -> str:
    """A text with its arithmetic in Python's notation."""
    text = _ENDLESS.sub("…", text)
    for pattern, replacement in (*_SYMBOLS, *_PHRASES):
        text = pattern.sub(replacement, text)
    text = _without_units(text)
    return _stated(text)


def _without_units(text: str) -> str:
    """`12 boxes * 5 dollars` without its words; in sums, only if the words are the same."""
    text = re.sub(rf"(?<=\d) (?!{_SKIP}\b){_UNIT}(?= ?[*/] ?[\d(])", "", text)
    same = rf"({NUMBER}) (?!{_SKIP}\b)({_UNIT}) ?([-+]) ?({NUMBER}) \2\b"
    while (shorter := re.sub(same, r"\1 \3 \4 \2", text)) != text:
        text = shorter
    return re.sub(rf"([-+*/] ?(?:{NUMBER})) (?!{_SKIP}\b){_UNIT}(?= ?= ?[-\d(])", r"\1", text)


def _stated(text: str) -> str:
    """`3 + 4 is 7` as an equation; there must be an operator before it, unlike in `3 is 7`."""
    pattern, sign = _EQUALS

    def stated(match: re.Match[str]) -> str:
        before = re.search(r"[-+*/().%\d\s]*$", text[: match.start()])
        after = re.match(
            r"[-\d.]+ ?(?:%|more|less|fewer|times|of\b|out\b|years|percent)?", text[match.end() :]
        )
        worked = before is not None and re.search(r"\d\s*[-+*/]", before[0])
        vague = after is not None and after[0].rstrip()[-1:] not in "0123456789."
        return str(sign) if worked and not vague else match[0]

    return pattern.sub(stated, text)
