"""Solutions with known calculations from three sources, as `Worked`: typed, GSM8K, students'."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from genprm.calculator.exact import NotArithmeticError, evaluate
from training.language.critiques import Stated, Worked, masked
from training.language.exercises import typed_exercise
from training.language.gsm8k_set import KINDS, held_out, plant

WRONG_SHARE = 0.7  # of the solutions: then a third to a half of the judged steps are wrong
MASKED_SHARE = 0.4  # of the solutions: their printed calculations are cut out
NUMBERED_SHARE = 0.2
FIRST_HALF = 426  # rows of verify_then_generate that may be trained on
_MARK = re.compile(r"<<([^<>=]*)=([^<>=]*)>>")
_NUMBER = re.compile(r"\d+(?:\.\d+)?|\.\d+")
_SIGN = re.compile(r"\s*([-+*/])\s*")
_EQUATION = re.compile(
    r"([\d$][\d.,\s$%+\-*/x×÷()]*?[+\-*/x×÷][\d.,\s$%+\-*/x×÷()]*?)=\s*\$?(-?[\d.,]*\d)"
)
_PLAIN = str.maketrans({"x": "*", "×": "*", "÷": "/", "$": "", ",": "", " ": ""})


def typed(seed: int, index: int, rng: random.Random) -> Worked:
    """A drawn problem in some person's habits."""
    exercise = typed_exercise(seed, index)
    said = exercise.claims[0].source.removeprefix("The problem says ").removesuffix(".")
    pairs = [line.split(" = ", 1) for line in said.split(", ")]
    given = {name: value for name, value in pairs if _is_number(value)}
    lines = tuple(f"{n} = {_filled(f, given)}" for n, f in pairs if n not in given)
    judged = exercise.first_error + 1 or len(exercise.steps)
    claims = exercise.claims[:judged]
    stated = tuple((Stated(claim.target, claim.links[-1]),) for claim in claims)
    return Worked(exercise.problem, _styled(exercise.steps, rng), lines, stated)


def gsm8k(path: Path, rng: random.Random) -> Iterator[Worked]:
    """Worked answers, right or with a planted mistake; none of the problems held out."""
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    rows = [row for row in rows if not held_out(row["question"])]
    rng.shuffle(rows)
    for number, row in enumerate(rows):
        texts = [line for line in row["answer"].split("\n####")[0].splitlines() if line.strip()]
        marks = [_MARK.findall(line) for line in texts]
        lines, names = _program([mark for found in marks for mark in found])
        if not lines or not all(marks):
            continue
        planted = None
        if rng.random() < WRONG_SHARE:
            planted = plant(row["question"], texts, KINDS[number % len(KINDS)], rng)
        steps, place = planted or ([_MARK.sub("", line) for line in texts], -1)
        stated = list(_stated(marks, names))[: place + 1 or None]
        if place >= 0:
            number_said = _last_number(steps[place])
            asked = (
                names[-1] if KINDS[number % len(KINDS)] == "premature" else stated[place][-1].name
            )
            if number_said is None:
                continue
            stated[place] = (Stated(asked, number_said),)
        yield Worked(row["question"], _styled(steps, rng), tuple(lines), tuple(stated))


def students(path: Path) -> Iterator[Worked]:
    """The first half of verify_then_generate: real mistakes, lines from the reference solution.

    Only where every step before the mistake states a number that one of the lines gives.
    """
    for row in json.loads(path.read_text())[:FIRST_HALF]:
        found = _EQUATION.findall(row["reference_solution"])
        lines, names = _program([(left.translate(_PLAIN), right) for left, right in found])
        if not lines:
            continue
        steps = tuple(step.strip() for step in row["student_incorrect_solution"])
        values = dict(zip(names, (right.replace(",", "") for _, right in found), strict=False))
        stated = _matched(steps[: row["incorrect_index"] + 1], values)
        if stated:
            yield Worked(row["problem"], steps, tuple(lines), tuple(stated))


def _program(marks: Sequence[tuple[str, str]]) -> tuple[list[str], list[str]]:
    """Lines `a = 48 / 2`, `b = 48 + a`, and their names; none where one cannot be read."""
    lines: list[str] = []
    names: list[str] = []
    known: dict[str, str] = {}
    for expression, result in marks:
        plain = expression.replace("%", "/100").replace(",", "").replace("$", "")
        try:
            true = abs(float(evaluate(plain)) - float(result.replace(",", ""))) < 0.01
        except (NotArithmeticError, ValueError, OverflowError, ZeroDivisionError):
            return [], []
        if not true or len(names) == 8:
            return [], []
        name = "abcdefgh"[len(names)]
        filled = _NUMBER.sub(lambda one: known.get(one[0], _without_zeros(one[0])), plain)
        spaced = _SIGN.sub(r" \1 ", filled).strip()
        lines.append(f"{name} = {spaced}")
        names.append(name)
        known[result] = name
    return lines, names


def _stated(
    marks: Sequence[Sequence[tuple[str, str]]], names: Sequence[str]
) -> Iterator[tuple[Stated, ...]]:
    waiting = iter(names)
    for found in marks:
        yield tuple(Stated(next(waiting), result.replace(",", "")) for _, result in found)


def _matched(steps: Sequence[str], values: Mapping[str, str]) -> list[tuple[Stated, ...]]:
    """What each step states last, and the line it stands for; the last step's is the next line."""
    stated: list[tuple[Stated, ...]] = []
    names = list(values)
    furthest = -1
    for index, step in enumerate(steps):
        said = _last_number(step)
        if said is None:
            return []
        equal = [n for n in names if abs(float(values[n]) - float(said)) < 0.01]
        last = index + 1 == len(steps)
        if bool(equal) == last:  # a right step that no line gives, or a mistake that one does
            return []
        name = names[min(furthest + 1, len(names) - 1)] if last else equal[0]
        furthest = max(furthest, names.index(name))
        stated.append((Stated(name, said),))
    return stated


def _last_number(text: str) -> str | None:
    """The number after the last equals sign, else the last number."""
    tail = text.rpartition("=")[2]
    numbers = _NUMBER.findall(tail.replace(",", ""))
    if not numbers:
        return None
    return _without_zeros(numbers[0] if "=" in text else numbers[-1])


def _styled(steps: Sequence[str], rng: random.Random) -> tuple[str, ...]:
    cut = rng.random() < MASKED_SHARE
    numbered = rng.random() < NUMBERED_SHARE
    shown = [masked(step) if cut else step for step in steps]
    return tuple(f"Step {n}: {s}" if numbered else s for n, s in enumerate(shown, 1))


def _filled(formula: str, given: Mapping[str, str]) -> str:
    return re.sub(r"[a-zA-Z_]\w*", lambda name: given.get(name[0], name[0]), formula)


def _without_zeros(number: str) -> str:
    """Python reads `007` as an error, and `.5` is written 0.5."""
    head, point, tail = number.partition(".")
    return f"{head.lstrip('0') or '0'}{point}{tail}"


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
