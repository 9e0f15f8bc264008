r"""Whether two formulas are equal, by Math-Verify (SymPy inside) and exact arithmetic around it.

Math-Verify compares numbers to a few places, so that 1/2^80 equals 1/2^79; constants are therefore
compared here, to sixty digits. It drops what it does not understand (words, subscripts of numerals,
the minutes of a time). If two texts differ in such parts, the pair is undecided, never equal.

Text that a model wrote may keep SymPy busy forever, so run this in a process that can be killed
(`child`).
"""

import re
from functools import lru_cache
from typing import Any, NamedTuple

import math_verify
import sympy

from genprm.answer.compare import compare
from genprm.answer.match import Match
from genprm.answer.reading import read_answer
from genprm.answer.units import read_unit

_DIGITS = 60
_CLOSE = sympy.Float("1e-45", _DIGITS)
_COMMANDS = re.compile(r"\\(?:begin|end)\s*\{[^{}]*\}|\\text\s*(?=\{)|\\[A-Za-z]+")
_WORD = re.compile(r"[A-Za-z]{2,}")
_LETTER = re.compile(r"(?<![A-Za-z])[A-Za-z](?![A-Za-z])")
_MODULUS = re.compile(r"\\[pb]?mod\b|\bmod\b")
_ORDER = re.compile(r"[<>≤≥]|\\(?:le|ge|leq|geq|lt|gt|ne|neq|in)(?![A-Za-z])")
_NOT_EVALUATED = (
    (re.compile(r"\\(?:sum|int|prod|lim)(?![A-Za-z])"), "a sum, an integral or a limit"),
    (re.compile(r"\\ln(?![A-Za-z])"), "a natural logarithm"),
    (re.compile(r"\\sqrt\s*\{\s*-"), "a root of a negative number"),
    (re.compile(r"\\mathbb"), "a set of numbers by its name"),
    (re.compile(r"\d\s*[CP]_?\{?\s*\d|\b[CP]\s*\(\s*\d+\s*,"), "a number of choices"),
    (re.compile(r"^\W*\d+(?:\.\d+)?\s?[kKMB]$"), "a number in thousands or millions"),
    (re.compile(r"\d\s?['′](?!\()"), "feet, inches or minutes of arc"),
    (re.compile(r"\d\.\.+|\\[lc]?dots(?![A-Za-z])|…"), "a number that goes on"),
    (re.compile(r"\d\s*(?:\\text\{)?\s*(?:R|r|remainder)\b\s*\}?\s*\d"), "a remainder"),
)
_FUNCTIONS = {"sqrt", "infinity", "arcsin", "arccos", "arctan", "sinh", "cosh", "tanh"}
_HALVES_OF_A_DAY = {"am", "pm"}
_SUBSCRIPT = re.compile(r"\d\s*_\s*\{?\s*\d")
_CLOCK = re.compile(r"\d\s*:\s*\d")


class Outcome(NamedTuple):
    """The result `match`, and why it is undecided, if it is."""

    match: Match
    cause: str | None = None


def compare_texts(gold: str, answer: str) -> Outcome:
    r"""Compare two answers, each as the content of a `\boxed{}`."""
    causes: list[str] = []

    def formulas(one: str, other: str) -> Match:
        outcome = compare_formulas(one, other)
        if outcome.cause:
            causes.append(outcome.cause)
        return outcome.match

    try:
        match = compare(read_answer(gold), read_answer(answer), formulas)
    except (Exception, RecursionError) as error:  # noqa: BLE001 - whatever SymPy raises means: not decided
        return Outcome(Match.UNDECIDED, f"{type(error).__name__}: {error}"[:200])
    assert match is not None
    if match is not Match.UNDECIDED:
        return Outcome(match)
    return Outcome(match, causes[0] if causes else "the two say different things beside the value")


def compare_formulas(gold: str, answer: str) -> Outcome:
    """Compare two formulas in TeX.

    Raises:
        Exception: whatever SymPy raises for the formulas.
    """
    read = _read(gold), _read(answer)
    words = _words(gold), _words(answer)
    constants = [_constant(_imaginary(expressions)) for expressions in read]
    if constants[0] is not None and constants[1] is not None:
        equal = _same_constant(constants[0], constants[1])
    else:  # both ways, since what equals what must not depend on which one is the gold answer
        equal = _same_equation(*read) or any(
            math_verify.verify(*pair, timeout_seconds=0, raise_on_error=True)
            for pair in (read, read[::-1])
        )
    if equal:
        return _unless_dropped(gold, answer, *words)
    if unclear := _unclear(gold, answer):
        return Outcome(Match.UNDECIDED, unclear)
    for text, expressions in zip((gold, answer), read, strict=True):
        if all(isinstance(expression, str) for expression in expressions) and _mathematical(text):
            return Outcome(Match.UNDECIDED, f"Math-Verify cannot read {text[:80]!r}")
    unread = (words[0] ^ words[1]) - {word for word in words[0] | words[1] if _is_unit(word)}
    if unread:
        return Outcome(
            Match.UNDECIDED, f"the words {', '.join(sorted(unread))[:80]!r} are not read"
        )
    return Outcome(Match.DIFFERENT)


def _same_equation(one: list[Any], other: list[Any]) -> bool:
    """Whether two equations differ by a constant factor: `y = 2x + 1` and `2x - y + 1 = 0`."""
    sides = [expressions[0] if expressions else None for expressions in (one, other)]
    if not all(isinstance(side, sympy.Eq) for side in sides):
        return False
    differences = [side.lhs - side.rhs for side in sides if isinstance(side, sympy.Eq)]
    if differences[0].free_symbols != differences[1].free_symbols:
        return False
    factor = sympy.cancel(differences[0] / differences[1])
    return bool(factor.is_number and factor.is_finite and factor != 0)


def _unclear(gold: str, answer: str) -> str | None:
    """Why two formulas may be equal although they were not found equal."""
    for pattern, what in ((_MODULUS, "a modulus"), (_ORDER, "an inequality"), *_NOT_EVALUATED):
        if bool(pattern.search(gold)) != bool(pattern.search(answer)):
            return f"only one is written as {what}"
    return None


def _unless_dropped(gold: str, answer: str, one: frozenset[str], other: frozenset[str]) -> Outcome:
    """Equal, unless the texts differ in parts that Math-Verify ignores."""
    if one != other and not (all(map(_is_unit, one ^ other)) and not (one and other)):
        return Outcome(Match.UNDECIDED, "equal but for the words beside the value")
    if _letters(gold) != _letters(answer) and _letters(gold.lower()) == _letters(answer.lower()):
        return Outcome(Match.UNDECIDED, "equal but for capital letters")
    for pattern, what in ((_SUBSCRIPT, "the base of a numeral"), (_CLOCK, "a time or a ratio")):
        if bool(pattern.search(gold)) or bool(pattern.search(answer)):
            return Outcome(Match.UNDECIDED, f"equal but for {what}")
    return Outcome(Match.EQUAL)


def _words(text: str) -> frozenset[str]:
    """The words of a text, without functions and products of variables."""
    found = _WORD.findall(_COMMANDS.sub(" ", text))
    return frozenset(
        word.casefold()
        for word in found
        if word.casefold() not in _FUNCTIONS
        and (len(word) > 3 or word.casefold() in _HALVES_OF_A_DAY or _is_unit(word))
    )


def _letters(text: str) -> frozenset[str]:
    """The single letters, such as variables."""
    return frozenset(_LETTER.findall(_COMMANDS.sub(" ", text)))


def _is_unit(word: str) -> bool:
    unit = read_unit(word)
    return unit is not None and unit.known


def _constant(expressions: list[Any]) -> Any:
    """The one constant that was read, with every decimal fraction exact, or None."""
    first = expressions[0] if expressions else None
    if not isinstance(first, sympy.Expr) or first.free_symbols or not first.is_number:
        return None
    if first.has(sympy.oo, sympy.zoo, sympy.nan):
        return None
    exact = {number: sympy.Rational(str(number)) for number in first.atoms(sympy.Float)}
    return first.xreplace(exact)


def _imaginary(expressions: list[Any]) -> list[Any]:
    """The formula with the letter i as the imaginary unit, if nothing else is unknown."""
    first = expressions[0] if expressions else None
    if not isinstance(first, sympy.Expr) or list(map(str, first.free_symbols)) != ["i"]:
        return expressions
    return [first.xreplace(dict.fromkeys(first.free_symbols, sympy.I)), *expressions[1:]]


def _same_constant(one: Any, other: Any) -> bool:
    if one == other:
        return True
    values = [sympy.N(constant, _DIGITS) for constant in (one, other)]
    size = max(abs(values[0]), abs(values[1]))
    return bool(abs(values[0] - values[1]) <= _CLOSE * size)


@lru_cache(maxsize=1024)
def _read(text: str) -> list[Any]:
    expressions: list[Any] = math_verify.parse(
        f"\\boxed{{{text}}}", parsing_timeout=0, raise_on_error=True
    )
    return expressions


def _mathematical(text: str) -> bool:
    """Whether a text that could not be read as an expression contains mathematics."""
    return any(sign in text for sign in "0123456789\\=^+")
