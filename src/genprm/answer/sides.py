"""Sides of equations, and cleaning expressions that were cut out of a text."""

import re

_SIMPLE_NAME = re.compile(
    r"(?:[A-Za-zα-ω]|\\[A-Za-z]+)(?:_\{?\w{1,5}\}?|')?(?:\([A-Za-z](?:,\s?[A-Za-z])*\))?"
)
_TRAILING = " \t,;:=<>+-*/^_|([{~'&≈"


def value_side(expression: str, *, whole_equations: bool = False) -> str:
    """The side of an equation that is the result: `5` of `x = 5`, `7` of `3 + 4 = 7`.

    Several equations (`x = 4 or x = -4`) are one answer. With `whole_equations`, so is one whose
    left side is more than a name or a calculation: `x^2 + y = 7`.
    """
    expression = trimmed(expression)
    exact = re.split(r"\\approx|≈", expression)
    if len(exact) > 1 and exact[0].strip():
        expression = exact[1] if _SIMPLE_NAME.fullmatch(exact[0].strip()) else exact[0]
        expression = trimmed(expression)
    sides = re.split(r"(?<![<>!:\\])=", expression)
    if len(sides) == 1 or not sides[-1].strip():
        return expression
    is_list = re.search(r"\b(?:and|or)\b|[,;]", expression)
    if is_list and len(sides) > 2:
        return expression
    left = sides[0].replace("&", "").strip()
    is_name = _SIMPLE_NAME.fullmatch(left)
    two = len(sides) == 2
    if (
        whole_equations
        and two
        and not is_name
        and re.search(r"(?<!\\)\b[A-Za-z]\b|\d[A-Za-z]\b", left)
    ):
        return expression
    return trimmed(sides[-1].replace("&", ""))


def trimmed(expression: str) -> str:
    """The text without punctuation and unmatched brackets at its ends, which cutting leaves."""
    expression = re.sub(r"(?:\\[,;!: ]|\\q?quad|\\\\)+\s*$", "", expression.strip()).rstrip(
        _TRAILING
    )
    expression = re.sub(r"(?:,|\b(?:and|or))\s*$", "", expression).rstrip(_TRAILING + ".")
    for opening, closing in ("()", "[]"):
        if expression.count(opening) != expression.count(closing) and not _is_interval(expression):
            if expression.endswith(closing):
                expression = expression[:-1].rstrip(_TRAILING + ".")
            elif expression.startswith(opening):
                expression = expression[1:].lstrip()
    return expression.lstrip(" =:,;").strip()


def is_whole(expression: str) -> bool:
    """Whether a run is not just the middle of a formula."""
    return (
        expression.count("{") == expression.count("}")
        and expression.count("(") == expression.count(")")
        and not re.search(r"\\(?:begin|end|\[|\(|\]|\)|\\)|\\[A-Za-z]+$", expression)
    ) or _is_interval(expression)


def _is_interval(expression: str) -> bool:
    return expression[:1] in "([" and expression[-1:] in ")]" and "," in expression
