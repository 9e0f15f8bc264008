"""Printed equations between plain numbers, and whether they are true."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from genprm.calculator.chains import find_chains
from genprm.calculator.exact import NotArithmeticError, evaluate, tolerance
from genprm.calculator.notation import plain

_EXPRESSION = r"(?:sqrt(?=\()|[-+*/().\d\s%])*\d[\d.\s)%]*"
_CHAIN = re.compile(
    rf"(?<![\w.=<>])({_EXPRESSION}(?:=\s*{_EXPRESSION})+)(?![\w(]|\s*[-+*/^]\s*\w|\s*\*\*)"
)
_ROUGH = re.compile(
    r"(?i)≈|~|\b(?:about|approximately|approx|around|round|rounded|roughly|nearly)\b"
)
_TAIL_OF_WORDS = re.compile(r"(?:[-+*/%√(]|\bx|\bof|\bthan|\bto|\bby)$")


@dataclass(frozen=True, slots=True)
class Claim:
    """Something that code can check: a line of Python that prints True or False, and why."""

    said: str  # in the step's own words, or nearly
    code: str
    holds: bool


def equations(step: str) -> Iterator[Claim]:
    """Every equation of numbers in a step, link by link, without those that cannot be read."""
    text = plain(step)
    rough = bool(_ROUGH.search(text))
    for start, chain in find_chains(_CHAIN, text):
        sides = [side.strip().rstrip(".").strip() for side in chain.split("=")]
        if not all(sides) or _is_tail(text[max(0, start - 100) : start].rstrip(), sides[0]):
            continue
        for left, right in pairwise(sides):
            claim = _claim(left, right)
            if claim and (claim.holds or not rough):
                yield claim


def _claim(left: str, right: str) -> Claim | None:
    for one, other in _readings(left, right):
        try:
            gap = abs(evaluate(one) - evaluate(other))
        except NotArithmeticError:
            return None
        code = _code(one, other)
        if gap <= tolerance(one, other):
            return Claim(f"{left} = {right}", code, True)
    return Claim(f"{left} = {right}", code, False)


def _readings(left: str, right: str) -> list[tuple[str, str]]:
    """The readings of a number: `20%` is 0.2, or 20 if the writer multiplied by 100."""
    if "%" not in left + right:
        return [(left, right)]
    exact = [re.sub(r"([\d.]+)\s*%", r"(\1/100)", side) for side in (left, right)]
    loose = [side.replace("%", "") for side in (left, right)]
    return [(exact[0], exact[1]), (loose[0], loose[1])]


def _code(left: str, right: str) -> str:
    allowed = tolerance(left, right)
    limit = f"{float(allowed):g} + 1e-9" if allowed else "1e-9"
    return f"print(abs(({left}) - ({right})) <= {limit})"


def _is_tail(before: str, first: str) -> bool:
    """Whether a chain is only the end of something else than plain arithmetic: "2x + 3 = 7"."""
    if first[0] in "+*/" or (first[0] == "-" and before[-1:].isalnum()):
        return before[-1:] not in ("", "(", ",", ":", ".", "=", "<", ">")
    return bool(_TAIL_OF_WORDS.search(before))
