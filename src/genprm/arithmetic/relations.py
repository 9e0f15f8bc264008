"""Sentences that say how one quantity of a word problem depends on others.

A relation pairs phrasings with the formula they mean. `{a}` and `{c}` are earlier quantities,
`{new}` is the one defined; k, m, p, q and d are numbers.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import Flag, auto

from genprm.arithmetic.expressions import Infix, Number, parse, show_number, substitute, tidy
from genprm.arithmetic.settings import MEASURED, TEAMS, THINGS, Setting


class Needs(Flag):
    """What a sentence needs from its setting."""

    NOTHING = 0
    COUNTABLE = auto()  # `3 times as many` makes sense
    SCALE = auto()  # degrees
    AMOUNT = auto()  # anything but degrees
    TWO = auto()  # two earlier quantities
    PRICE = auto()


@dataclass(frozen=True, slots=True)
class Relation:
    """Phrasings with one meaning."""

    phrasings: tuple[str, ...]
    formula: str
    needs: Needs = Needs.NOTHING


@dataclass(frozen=True, slots=True)
class Fact:
    """One sentence of a problem, with the quantity it defines."""

    sentence: str
    subject: str  # whom or what it is about
    formula: Infix  # over the subjects of earlier facts


DERIVED = (
    Relation(("{new} {be} {more} than {a}.", "{new} {be} {more} compared with {a}."), "a + k"),
    Relation(("{new} {be} {fewer} than {a}.", "{new} {be} {fewer} compared with {a}."), "a - k"),
    Relation(
        ("{new} {has} {m} times as many {unit} as {a}.", "{new} {has} {m} times what {a} {has}."),
        "m * a",
        Needs.COUNTABLE,
    ),
    Relation(
        ("{new} {has} {m} times as many {unit} as {a}, plus {k} more.",),
        "m * a + k",
        Needs.COUNTABLE,
    ),
    Relation(
        ("{new} {has} {k} fewer than {m} times as many {unit} as {a}.",),
        "m * a - k",
        Needs.COUNTABLE,
    ),
    Relation(
        ("{new} {has} {p}% of what {a} {has}.", "{new} {has} {p}% as many {unit} as {a}."),
        "(p / 100) * a",
        Needs.COUNTABLE,
    ),
    Relation(
        ("{new} {has} {p}% more {unit} than {a}.", "{new} {has} {p}% more than {a}."),
        "a + (p / 100) * a",
        Needs.COUNTABLE,
    ),
    Relation(
        ("{new} {has} {q}/{d} as many {unit} as {a}.", "{new} {has} {q}/{d} of what {a} {has}."),
        "(q / d) * a",
        Needs.COUNTABLE,
    ),
    Relation(("{new} {has} half as many {unit} as {a}.",), "a / 2", Needs.COUNTABLE),
    Relation(("{new} {has} {k} groups of {m} {unit}.",), "k * m", Needs.COUNTABLE),
    Relation(
        ("{new} {has} {k} groups of {m} {unit} and {n} single ones.",), "k * m + n", Needs.COUNTABLE
    ),
    Relation(
        ("{new} {has} as many {unit} as {a} and {c} together.",),
        "a + c",
        Needs.COUNTABLE | Needs.TWO,
    ),
    Relation(
        ("{new} {has} {k} more than {a} and {c} together.",),
        "a + c + k",
        Needs.COUNTABLE | Needs.TWO,
    ),
)

CHANGED = (
    Relation(("{a} {then} gets {k} degrees colder.",), "a - k", Needs.SCALE),
    Relation(("{a} {then} gets {k} degrees warmer.",), "a + k", Needs.SCALE),
    Relation(
        ("{a} {then} loses {k} {unit}.", "{a} {then} gives away {k} {unit}."), "a - k", Needs.AMOUNT
    ),
    Relation(
        ("{a} {then} gets {k} more {unit}.", "{a} {then} adds {k} {unit}."), "a + k", Needs.AMOUNT
    ),
    Relation(("{a} {then} doubles that.",), "2 * a", Needs.COUNTABLE),
    Relation(
        ("{a} {then} splits it into {s} equal shares and keeps one.",), "a / s", Needs.COUNTABLE
    ),
    Relation(("{a} {then} loses {p}% of it.",), "a - (p / 100) * a", Needs.COUNTABLE),
    Relation(("{a} {then} gets {s} packs of {k} {unit}.",), "a + s * k", Needs.COUNTABLE),
)


def given(setting: Setting, name: str, rng: random.Random) -> tuple[str, Number]:
    """A sentence that states a quantity outright, and its value."""
    number: Number = rng.randint(setting.smallest, setting.largest)
    if setting.unit in MEASURED and rng.random() < 0.35:
        number = tidy(Decimal(rng.randint(10, 400)) / rng.choice((4, 10, 10)))
    amount = f"{show_number(number)} {setting.unit}"
    if setting.countable and rng.random() < 0.15:
        return f"{name} {setting.has} {amount} at first.", number
    return f"{name} {setting.has} {amount}.", number


def derived(setting: Setting, new: str, known: Sequence[str], rng: random.Random) -> Fact:
    """A sentence that defines the quantity `new` through known ones."""
    a = known[-1] if rng.random() < 0.6 else rng.choice(known)
    others = [name for name in known if name != a]
    relation = rng.choice([r for r in DERIVED if _suits(r.needs, setting, others)])
    return _fact(relation, setting, new, {"a": a, "c": rng.choice(others or [a])}, rng)


def changed(setting: Setting, name: str, rng: random.Random) -> Fact:
    """A sentence after which a known quantity has another value."""
    relation = rng.choice([r for r in CHANGED if _suits(r.needs, setting, ())])
    return _fact(relation, setting, name, {"a": name}, rng)


def _suits(needs: Needs, setting: Setting, others: Sequence[str]) -> bool:
    met = Needs.SCALE if setting.on_a_scale else Needs.AMOUNT
    if setting.countable:
        met |= Needs.COUNTABLE
    if others:
        met |= Needs.TWO
    if setting.priced:
        met |= Needs.PRICE
    return needs in met


def _fact(
    relation: Relation, setting: Setting, new: str, names: Mapping[str, str], rng: random.Random
) -> Fact:
    numbers = _numbers(rng, setting.step)
    unit = "" if setting.on_a_scale else f" {setting.unit}"
    words = {
        "new": new,
        "has": setting.has,
        "unit": setting.unit,
        "be": "is" if setting.on_a_scale else setting.has,
        "more": f"{numbers['k']} {'degrees warmer' if setting.on_a_scale else 'more'}{unit}",
        "fewer": f"{numbers['k']} {'degrees colder' if setting.on_a_scale else 'fewer'}{unit}",
        "then": rng.choice(("then", "later")),
    }
    sentence = rng.choice(relation.phrasings).format(**names, **numbers, **words)
    return Fact(sentence, new, substitute(parse(relation.formula), {**names, **numbers}))


def _numbers(rng: random.Random, step: int) -> dict[str, int]:
    """A value for every number that a phrasing may mention."""
    k, m = rng.randint(2, step), rng.randint(2, step // 4 + 2)
    q, d = rng.choice(((1, 2), (1, 4), (3, 4), (1, 5), (2, 5), (3, 5), (4, 5)))
    p = rng.choice((5, 10, 20, 25, 30, 40, 50, 60, 75, 80))
    return {"k": k, "m": m, "n": k + m, "p": p, "q": q, "d": d, "s": rng.randint(2, 5)}


TOTALS = (
    ("How many {unit} do {people} {have} altogether?", Needs.AMOUNT),
    ("How many {unit} do {people} {have} in total?", Needs.AMOUNT),
    ("What is the total of {people}?", Needs.AMOUNT),
)
AVERAGES = (
    ("What do {people} {have} on average?", Needs.AMOUNT),
    ("What is the average of {people}?", Needs.SCALE),
)
DIFFERENCE = "What is the difference between {a} and {c}, counted as {a} minus {c}?"
COST = "What is the cost of what {a} {has} if each costs {price} dollars?"
PRICES: tuple[Number, ...] = (2, 3, 5, *map(Decimal, ("0.5", "1.5", "2.5", "0.25", "1.2")))


def question(setting: Setting, known: Sequence[str], rng: random.Random) -> Fact:
    """The question, as a fact that defines the asked quantity."""
    *earlier, last = known
    chosen = [name for name in known if name == last or rng.random() < 0.7]
    total = Infix(tuple(chosen), ("+",) * (len(chosen) - 1))
    other = rng.choice(earlier) if earlier else last
    price = rng.choice(PRICES)
    choices = [(DIFFERENCE, "difference", Infix((last, other), ("-",)))]
    if len(chosen) > 1:
        average = Infix((total, len(chosen)), ("/",))
        choices += [(t, "total", total) for t, needs in TOTALS if _suits(needs, setting, ())]
        choices += [(t, "average", average) for t, needs in AVERAGES if _suits(needs, setting, ())]
    if setting.priced:
        choices.append((COST, "cost", Infix((last, price), ("*",))))
    sentence, name, formula = rng.choice(choices)
    words = {"unit": setting.unit, "have": setting.have, "has": setting.has}
    people = " and ".join(filter(None, (", ".join(chosen[:-1]), chosen[-1])))
    return Fact(
        sentence.format(a=last, c=other, people=people, price=show_number(price), **words),
        name,
        formula,
    )


DISTRACTIONS = (
    ("{name} is {k} years old.", Needs.COUNTABLE),
    ("{name} also has {k} {other}.", Needs.COUNTABLE),
    ("{name} lives {k} km from school.", Needs.COUNTABLE),
    ("{name} had {k} {other} last year.", Needs.COUNTABLE),
    ("{name} is {k} km from here.", Needs.SCALE),
    ("{name} has {k} parks.", Needs.SCALE),
)
TEAM_DISTRACTIONS = ("{name} won {k} games last year.", "{name} are watched by {k} people.")


def distraction(setting: Setting, known: Sequence[str], rng: random.Random) -> str:
    """A sentence with a number that nothing depends on."""
    suitable = [text for text, needs in DISTRACTIONS if _suits(needs, setting, ())]
    if setting.who[0] in TEAMS:
        suitable = list(TEAM_DISTRACTIONS)
    other = rng.choice([thing for thing in THINGS if thing != setting.unit])
    return rng.choice(suitable).format(name=rng.choice(known), k=rng.randint(2, 60), other=other)
