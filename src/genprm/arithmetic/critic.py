"""The scripted teacher applied to a solution by somebody else, such as a policy.

A step is read as a chain of equal expressions and compared with what the problem says it computes.
This is known from the generator's own solution, and applies to another solution's step as long as
all earlier steps are correct. So a critique ends with the first wrong step. A step that cannot be
read as such a chain is not judged.
"""

from __future__ import annotations

import ast
import random
import re
from collections.abc import Iterator, Sequence, Set
from dataclasses import replace
from decimal import Decimal

from genprm.answer import extract_answer
from genprm.arithmetic.exercise import Claim, Exercise, Family
from genprm.arithmetic.expressions import show_number
from genprm.arithmetic.mistakes import near_miss
from genprm.arithmetic.teacher import Rationale, rationales

_MARK = re.compile(r"^(?:\*\*|#+ )?Step \d+\b:?\s*")
_NUMBERS = r"[-+*/×÷().\d\s]"
_TRAILING = re.compile(rf"(?<![\w.])([-+(]*[\d(]{_NUMBERS}*)$")
_LEADING = re.compile(rf"^\s*([-+(]*[\d(]{_NUMBERS}*)")
_ANYWHERE = re.compile(rf"(?<![\w.])([-+(]*[\d(]{_NUMBERS}*)")
_DEFINITION = re.compile(rf"\b([A-Z]) = ([-+(]*[\d(]{_NUMBERS}*)")
_COMBINATION = re.compile(r"(?<!\w)\(*[A-Z]\b(?:\)*\s[-+*]\s\(*[A-Z]\b)+\)*")
_ARITHMETIC = (
    ast.Expression,
    ast.BinOp,
    ast.UnaryOp,
    ast.Constant,
    ast.Add,
    ast.Sub,
    ast.Mult,
    ast.Div,
    ast.UAdd,
    ast.USub,
)


def critique(
    exercise: Exercise, steps: Sequence[str], rng: random.Random, *, errors: float = 0.0
) -> list[Rationale] | None:
    """A rationale for each step up to the first wrong one; None where a step cannot be read.

    Args:
        exercise: the problem with the generator's correct solution.
        steps: the steps of the solution to judge; `Step t:` before a step is ignored.
        rng: the source of words and errors.
        errors: the share of critiques that misjudge one step, by a slip that execution confirms.
    """
    claims = list(read_claims(exercise, [_MARK.sub("", step) for step in steps]))
    slips = rng.random() < errors
    judged = _judge(exercise, claims, rng)
    if slips and judged:
        at = rng.randrange(len(judged))
        claims[at] = _slip(claims[at], judged[at], rng)
        judged = _judge(exercise, claims, rng)
    ended = bool(judged) and not judged[-1].correct
    return judged if ended or len(claims) == len(steps) else None


def _judge(exercise: Exercise, claims: Sequence[Claim], rng: random.Random) -> list[Rationale]:
    judged = rationales(replace(exercise, claims=tuple(claims)), rng)
    wrong = [index for index, rationale in enumerate(judged) if not rationale.correct]
    return judged[: wrong[0] + 1] if wrong else judged


def _slip(claim: Claim, judged: Rationale, rng: random.Random) -> Claim:
    """Miscopy the result of a correct step, or check a wrong one against itself."""
    if not judged.correct:
        return replace(claim, links=(claim.target,))
    result = Decimal(str(_value(claim.links[-1]) or 0))
    return replace(claim, links=(*claim.links[:-1], show_number(near_miss(result, rng))))


def read_claims(exercise: Exercise, steps: Sequence[str]) -> Iterator[Claim]:
    """The claims of the steps, up to the first one that cannot be read."""
    read = _read_nested if exercise.family is Family.NESTED else _read_story
    return read(exercise, steps)


def _read_story(exercise: Exercise, steps: Sequence[str]) -> Iterator[Claim]:
    """Read a word problem's steps: step t is about the t-th quantity of the problem."""
    if len(steps) > len(exercise.claims):
        return
    for index, (step, claim) in enumerate(zip(steps, exercise.claims, strict=False)):
        links = chain(step)
        if not links or not re.search(rf"\b{claim.target.rstrip('0123456789')}\b", step):
            return
        last = index == len(exercise.claims) - 1
        yield replace(claim, links=(*links, *_stated(step)) if last else links)


def _read_nested(exercise: Exercise, steps: Sequence[str]) -> Iterator[Claim]:
    """Read steps whose writer names the parts; the first one must give the whole expression."""
    goal, *_ = exercise.claims[0].setup
    parts = {name: text.strip(" .,") for name, text in _DEFINITION.findall(steps[0])}
    whole = _COMBINATION.search(steps[0])
    if whole is None or not _combines(whole[0], parts.keys()):
        return
    if any(_value(part) is None for part in parts.values()):
        return
    setup = (goal, *(f"{name} = {part}" for name, part in parts.items()))
    source = f"The problem is one expression. The parts are {' '.join(parts)}."
    yield Claim(source, setup, "goal", (whole[0],))
    results: dict[str, str] = {}
    for index, step in enumerate(steps[1:], start=1):
        links = chain(step)
        name = re.search(r"\b([A-Z]) =", step)
        if not links:
            return
        if index == len(steps) - 1:
            found = ", ".join(f"{key} = {result}" for key, result in results.items())
            source = f"Paragraph 1 says {whole[0]}. Earlier paragraphs say {found}."
            yield Claim(source, (), "goal", (whole[0], *links, *_stated(step)))
        elif name is not None and name[1] in parts:
            yield Claim(f"Paragraph 1 says {name[1]} = {parts[name[1]]}.", (), name[1], links)
            results[name[1]] = links[-1]
        else:
            return


def chain(step: str) -> tuple[str, ...]:
    """The equal expressions of a step, as Python; none if they cannot be read."""
    first, *rest = re.split(r"\s=\s", step)
    opening = (_TRAILING if rest else _ANYWHERE).search(first)
    links = [opening[1]] if opening else []
    for part in rest:
        found = _LEADING.match(part)
        if found is None or (part is not rest[-1] and found.end() < len(part)):
            return ()
        links.append(found[1])
    links = [link.strip().rstrip(".").strip().translate(_SIGNS) for link in links]
    return tuple(links) if links and all(_value(link) is not None for link in links) else ()


_SIGNS = str.maketrans("×÷", "*/")


def _stated(step: str) -> tuple[str, ...]:
    answer = extract_answer(step)
    return (answer,) if answer is not None and _value(answer) is not None else ()


def _combines(expression: str, names: Set[str]) -> bool:
    """Whether it is a complete expression over the given names."""
    try:
        tree = ast.parse(expression, mode="eval")
    except SyntaxError:
        return False
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)} <= names


def _value(expression: str) -> float | None:
    """The value of a plain arithmetic expression; None for anything else."""
    try:
        tree = ast.parse(expression.strip(), mode="eval")
        if not all(isinstance(node, _ARITHMETIC) for node in ast.walk(tree)):
            return None
        value: float = eval(compile(tree, "<step>", "eval"), {"__builtins__": {}})
    except (SyntaxError, ValueError, ArithmeticError, MemoryError, RecursionError):
        return None
    return value
