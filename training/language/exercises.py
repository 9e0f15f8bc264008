"""Solutions of drawn problems in many people's habits, right or with one error, as `Exercise`s."""

from __future__ import annotations

import ast
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from genprm.arithmetic.exercise import Claim, Exercise, Family
from genprm.arithmetic.mistakes import Mistake
from training.language.mistakes import Replace, mistaken, near_miss, percent_of
from training.language.templates import (
    Drawn,
    Line,
    Unwieldy,
    draw_problem,
    read_templates,
    show,
    tidy,
    value,
)

ALL_TEMPLATES = read_templates()
WRONG_SHARE = 0.55
MERGED_SHARE = 0.2  # of the solutions that do two things in one step
ERRORS = ("result", "operation", "operand", "premature", "restated")
ERROR_SHARES = (28, 32, 24, 10, 6)
KINDS = {
    "result": Mistake.CALCULATION,
    "operation": Mistake.OPERATION,
    "operand": Mistake.OPERAND,
    "premature": Mistake.DROPPED,
    "restated": Mistake.EARLIER,
}
EQUATION_STYLES = (
    "{e} = {v}", "{e} = {v}", "{e} = {v}", "{e} = {v}.", "{l}: {e} = {v}", "{l}: {e} = {v}",
    "{L}: {e} = {v}", "The {l} is {e} = {v}.", "The {l} is {e} = {v}", "{l} = {e} = {v}",
    "So {e} = {v}.", "Then {e} = {v}.", "then {e} = {v}", "That gives {e} = {v}.",
    "We get {e} = {v}.", "{e} is {v}", "{e} is {v}.", "{e} makes {v}", "{e} gives {v}",
    "- **{L}**: {e} = {v}", "- {e} = {v}", "* {l}: {e} = {v}", "${e} = {v}$", "\\[{e} = {v}\\]",
    "{e}={v}", "{e} = {v}, so the {l} is {v}", "Calculate the {l}: {e} = {v}.",
)  # fmt: skip
BARE_STYLES = (
    "The {l} is {v}.", "The {l} is {v}", "So the {l} is {v}.", "{l}: {v}", "{l} = {v}",
    "That makes {v}.", "It is {v}.", "We get {v} for the {l}.", "{L} is {v}",
)  # fmt: skip
ENDINGS = ("", "", "", ", so the answer is {v}", " The answer is {v}.", ", so {v}")
ANSWERS = (
    "So the answer is {v}.", "The answer is {v}.", "So it is {v}.", "answer: {v}",
    "Answer = {v}", "Thus the answer is $\\boxed{{{v}}}$.", "So the answer is {v}", "= {v}",
)  # fmt: skip
WORDS = {ast.Add: "plus", ast.Sub: "minus", ast.Mult: "times", ast.Div: "divided by"}
SIGNS = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/"}


@dataclass(frozen=True, slots=True)
class Habits:
    """How one person writes."""

    styles: tuple[str, ...]
    bare: float  # share of the steps without an equation
    times: str
    over: str
    tight: bool
    words: float
    dollars: bool
    ending: str
    answer: str | None

    @classmethod
    def draw(cls, rng: random.Random) -> Habits:
        """Somebody's."""
        return cls(
            styles=tuple(rng.sample(EQUATION_STYLES, rng.choice((1, 1, 2, 3)))),
            bare=rng.choice((0.0, 0.0, 0.2, 0.5)),
            times=rng.choice(("*", "*", "*", "x", "×")),
            over=rng.choice(("/", "/", "/", "÷")),
            tight=rng.random() < 0.3,
            words=rng.choice((0.0, 0.0, 0.0, 0.6)),
            dollars=rng.random() < 0.3,
            ending=rng.choice(ENDINGS),
            answer=rng.choice(ANSWERS) if rng.random() < 0.3 else None,
        )


@dataclass(frozen=True, slots=True)
class Written:
    """A step: its text, and the expressions in it as Python."""

    text: str
    links: tuple[str, ...]


def typed_exercise(seed: int, index: int) -> Exercise:
    """Exercise number `index` of a stream."""
    rng = random.Random(f"typed {seed} {index}")
    while True:
        try:
            drawn = draw_problem(rng.choice(ALL_TEMPLATES), rng)
            if rng.random() < MERGED_SHARE:
                drawn = _merged(drawn, rng)
            solved = _Solving(drawn, rng).solve(wrong=rng.random() < WRONG_SHARE)
        except Unwieldy:
            continue
        if solved:
            return solved


def _merged(drawn: Drawn, rng: random.Random) -> Drawn:
    """The same problem with one quantity worked out inside a later one's step."""
    if len(drawn.lines) < 2:
        return drawn
    place = rng.randrange(len(drawn.lines) - 1)
    inner = drawn.lines[place]
    lines = [
        Line(line.name, _inlined(line.formula, inner))
        for line in (*drawn.lines[:place], *drawn.lines[place + 1 :])
    ]
    return replace(drawn, lines=tuple(lines))


def _inlined(formula: ast.expr, inner: Line) -> ast.expr:
    copy = ast.parse(ast.unparse(formula), mode="eval")
    for node in ast.walk(copy):
        if isinstance(node, ast.Name) and node.id == inner.name:
            Replace(node, inner.formula).visit(copy)
    return ast.parse(ast.unparse(copy), mode="eval").body


class _Solving:
    """One solution on its way."""

    def __init__(self, drawn: Drawn, rng: random.Random) -> None:
        self.drawn, self.rng = drawn, rng
        self.habits = Habits.draw(rng)
        self.givens = [f"{name} = {show(number)}" for name, number in drawn.numbers.items()]
        self.truth: dict[str, Fraction] = dict(drawn.numbers)
        for line in drawn.lines:
            self.truth[line.name] = value(line.formula, self.truth)
        self.setup: list[str] = []
        self.steps: list[Written] = []
        self.claims: list[Claim] = []

    def solve(self, *, wrong: bool) -> Exercise | None:
        """The exercise; None where no error could be planted."""
        rng, lines = self.rng, self.drawn.lines
        error = rng.choices(ERRORS, ERROR_SHARES)[0] if wrong else None
        place = rng.randrange(len(lines)) if wrong else -1
        if error == "premature":
            if len(lines) < 2:
                return None
            place = rng.randint(1, len(lines) - 1)
            if self.truth[lines[place - 1].name] == self.truth[lines[-1].name]:
                return None
            return self._finish(self._premature(place), error, place)
        if error == "restated":
            place = len(lines)
        believed = dict(self.drawn.numbers)
        for index, line in enumerate(lines):
            formula = line.formula
            if index == place and error in ("operation", "operand"):
                changed = mistaken(formula, error, believed, rng)
                if changed is None:
                    return None
                formula = changed
            number = tidy(value(formula, believed), negative=index == place)
            if index == place and error == "result":
                number = near_miss(number, rng)
            if index == place and number == self.truth[line.name]:
                return None
            believed[line.name] = number
            self._add(index, self._write(line.name, formula, believed, number, index))
        if error == "restated" or self.habits.answer:
            number = believed[lines[-1].name]
            self._restate(near_miss(number, rng) if error == "restated" else number)
        return self._finish(len(self.steps), error, place)

    def _premature(self, place: int) -> int:
        """Right up to `place`, then an earlier quantity as the answer."""
        known = dict(self.drawn.numbers)
        for index, line in enumerate(self.drawn.lines[:place]):
            known[line.name] = value(line.formula, known)
            self._add(index, self._write(line.name, line.formula, known, known[line.name], index))
        self._restate(known[self.drawn.lines[place - 1].name], self.drawn.lines[place:])
        return place + 1

    def _restate(self, number: Fraction, left: Sequence[Line] = ()) -> None:
        template = self.habits.answer or self.rng.choice(ANSWERS)
        asked = self.drawn.lines[-1].name
        setup = tuple(line.text for line in left)
        said = ", ".join(setup) or f"the answer is {asked}"
        claim = Claim(f"The problem says {said}.", setup, asked, (show(number),), self._recall())
        self.steps.append(Written(template.format(v=show(number)), (show(number),)))
        self.claims.append(claim)

    def _recall(self) -> tuple[str, ...]:
        return (*self.givens, *(line.text for line in self.drawn.lines))

    def _add(self, index: int, step: Written) -> None:
        line = self.drawn.lines[index]
        every = (*self.givens, *(each.text for each in self.drawn.lines))
        setup = (*self.givens, line.text) if index == 0 else (line.text,)
        said = ", ".join(every if index == 0 else setup)
        recall = every[: len(self.givens) + index + 1]
        claim = Claim(f"The problem says {said}.", setup, line.name, step.links, recall)
        self.steps.append(step)
        self.claims.append(claim)

    def _write(
        self,
        name: str,
        formula: ast.expr,
        known: Mapping[str, Fraction],
        number: Fraction,
        index: int,
    ) -> Written:
        rng, habits = self.rng, self.habits
        last = index == len(self.drawn.lines) - 1
        shown, link = _expression(formula, known, habits, rng)
        bare = rng.random() < habits.bare
        style = rng.choice(BARE_STYLES if bare else habits.styles)
        label = "x" if name == "xx" else name
        money = "$" if habits.dollars and "$" in self.drawn.text and "$" not in style else ""
        text = style.format(e=shown, v=money + show(number), l=label, L=label.capitalize())
        if last and not habits.answer:
            text = (
                text.rstrip(".") + habits.ending.format(v=show(number)) if habits.ending else text
            )
        links = (show(number),) if bare else (link, show(number))
        return Written(text, links)

    def _finish(self, count: int, error: str | None, place: int) -> Exercise:
        return Exercise(
            Family.STORY,
            self.drawn.text,
            tuple(step.text for step in self.steps[:count]),
            tuple(self.claims[:count]),
            show(self.truth[self.drawn.lines[-1].name]),
            place if error else -1,
            KINDS[error] if error else None,
        )


def _expression(
    formula: ast.expr, known: Mapping[str, Fraction], habits: Habits, rng: random.Random
) -> tuple[str, str]:
    """A formula with its numbers as a person writes it, and as Python."""
    percent = percent_of(formula, known)
    if percent and rng.random() < 0.75:
        share, whole = percent
        decimal = show(share / 100)
        return rng.choice(
            (
                (f"{show(share)}% of {show(whole)}", f"({show(share)} / 100) * {show(whole)}"),
                (f"{show(whole)} {habits.times} {decimal}", f"{show(whole)} * {decimal}"),
                (f"{decimal} {habits.times} {show(whole)}", f"{decimal} * {show(whole)}"),
            )
        )
    filled = ast.unparse(_Fill(known).visit(ast.parse(ast.unparse(formula), mode="eval")).body)
    if isinstance(formula, ast.BinOp) and rng.random() < habits.words and filled.count(" ") == 2:
        left, _, right = filled.split(" ")
        return f"{left} {WORDS[type(formula.op)]} {right}", filled
    shown = filled.replace("*", habits.times).replace("/", habits.over)
    return (shown.replace(" ", "") if habits.tight else shown), filled


class _Fill(ast.NodeTransformer):
    """Puts numbers in the place of names."""

    def __init__(self, known: Mapping[str, Fraction]) -> None:
        self.known = known

    def visit_Name(self, node: ast.Name) -> ast.expr:
        number = self.known[node.id]
        text = show(number)
        constant = ast.Constant(float(abs(number)) if "." in text else abs(int(number)))
        return ast.UnaryOp(ast.USub(), constant) if number < 0 else constant
