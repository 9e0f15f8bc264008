"""Reads units of final answers exactly: what they measure, and how large they are.

A unit is a product of powers: `km/h`, `miles per hour`, `square feet`, `m/s^2`. Units of one
dimension are compared in the same base (5 m is 500 cm). A word that is not a unit, such as
"apples", is a separate dimension.
"""

import re
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

Dimensions = tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit: `factor` times base units of `dimensions`, each with its power, sorted by name."""

    dimensions: Dimensions
    factor: Fraction = Fraction(1)
    known: bool = True  # False where a word is no unit that we know

    def times(self, other: "Unit", power: int = 1) -> "Unit":
        """The product with a power of another unit."""
        powers = dict(self.dimensions)
        for name, exponent in other.dimensions:
            powers[name] = powers.get(name, 0) + exponent * power
        dimensions = tuple(
            sorted((name, exponent) for name, exponent in powers.items() if exponent)
        )
        return Unit(dimensions, self.factor * other.factor**power, self.known and other.known)


def _table() -> dict[str, Unit]:
    inch = Fraction("0.0254")
    sizes: dict[str, dict[str, str | Fraction]] = {
        "length": {
            "nm nanometer nanometre": "1e-9", "μm µm micrometer micrometre": "1e-6",
            "mm millimeter millimetre": "0.001", "cm centimeter centimetre": "0.01",
            "dm decimeter decimetre": "0.1", "m meter metre": "1",
            "km kilometer kilometre": "1000", "in inch inches": inch, "ft foot feet": 12 * inch,
            "yd yard": 36 * inch, "mi mile": 63360 * inch,
        },
        "mass": {
            "mg milligram": "0.001", "g gram": "1", "kg kilogram kilo": "1000",
            "tonne": "1000000", "lb lbs pound": "453.59237", "oz ounce": "28.349523125",
        },
        "time": {
            "ms millisecond": "0.001", "s sec second": "1", "min minute": "60",
            "h hr hour": "3600", "day": "86400", "week": "604800",
        },
        "month": {"month": "1", "year yr": "12"},
        "litre": {
            "ml mL milliliter millilitre": "0.001", "cl cL": "0.01", "l L liter litre": "1",
            "gallon gal": "3.785411784",
        },
        "dollar": {"$ dollar USD buck": "1", "cent ¢": "0.01"},
        "euro": {"€ euro EUR": "1"},
        "sterling": {"£ GBP": "1", "pence": "0.01"},
        "yen": {"¥ yen yuan JPY CNY": "1"},
        "rupee": {"₹ rupee INR": "1"},
        "degree": {"° degree deg": "1"},
        "radian": {"rad radian": "1"},
        "celsius": {"°C celsius": "1"},
        "fahrenheit": {"°F fahrenheit": "1"},
        "unit": {"unit": "1"},
        "newton": {"N newton": "1"}, "joule": {"J joule": "1", "kJ": "1000"},
        "watt": {"W watt": "1", "kW kilowatt": "1000"}, "volt": {"V volt": "1"},
        "hertz": {"Hz hertz": "1"}, "pascal": {"Pa pascal": "1"}, "mole": {"mol mole": "1"},
        "ampere": {"ampere amp": "1"}, "kelvin": {"kelvin": "1"},
    }  # fmt: skip
    return {
        name: Unit(((dimension, 1),), Fraction(size))
        for dimension, group in sizes.items()
        for names, size in group.items()
        for name in names.split()
    }


_UNITS = _table()
_SPEEDS = {"mph": ("mile", "hour"), "kph": ("km", "h"), "kmph": ("km", "h"), "fps": ("ft", "s")}
_UNITS |= {name: _UNITS[way].times(_UNITS[time], -1) for name, (way, time) in _SPEEDS.items()}
_UNITS["cc"] = Unit((), Fraction(1)).times(_UNITS["cm"], 3)
_POWER_WORDS = {"square": 2, "sq": 2, "cubic": 3, "cu": 3}
_SUPERSCRIPTS = str.maketrans({"²": "^2 ", "³": "^3 "})
_TOKEN = re.compile(
    r"[ \t]*(?:[Dd]egrees?[ \t]+(?=[Cc]elsius|[Ff]ahrenheit|[Kk]elvin))?"
    r"(?P<token>per\b|/|\*|·|⋅|\^[ \t]?\{?(?P<power>-?[1-9])\}?|°[CF]?|[$€£¥₹¢]"
    r"|[^\W\d_]++(?!\.?[^\W\d_]\.))\.?"  # `p.m.` is none
)
_LONGEST = 60


def read_unit(text: str) -> Unit | None:
    """The unit that a text spells, or None if it is not a unit."""
    unit, end = _read(text, unknown=True)
    return unit if unit is not None and not text[end:].strip(" .") else None


def leading_unit(text: str) -> int:
    """How many characters at the beginning of a text spell a known unit."""
    _, end = _read(text, unknown=False)
    is_word = len(text[:end].strip()) <= 2 and re.match(r"\s+[^\W\d_]", text[end:])
    return 0 if is_word else end  # "5 in the box"


@lru_cache(maxsize=4096)
def _read(text: str, *, unknown: bool) -> tuple[Unit | None, int]:
    """The longest unit at the beginning, and where it ends."""
    text = text[:_LONGEST].translate(_SUPERSCRIPTS)
    whole, end, at = Unit(()), 0, 0
    sign, power, expects_name = 1, 1, True
    last: Unit | None = None  # the name that a power may follow
    while match := _TOKEN.match(text, at):
        at, token = match.end(), match["token"]
        if match["power"]:
            if last is None:
                break
            whole = whole.times(last, sign * (int(match["power"]) - 1))
            last, end = None, at
        elif token in ("/", "per"):
            sign, expects_name = -1, True
        elif token in ("*", "·", "⋅"):
            expects_name = True
        elif token.lower() in _POWER_WORDS:
            power = _POWER_WORDS[token.lower()]
        else:
            last = _named(token) or (Unit(((f"word {_singular(token.lower())}", 1),), known=False))
            if not unknown and not (last.known and expects_name):
                break
            whole = whole.times(last, sign * power)
            power, end, expects_name = 1, at, False
    return (whole, end) if end else (None, 0)


def _named(token: str) -> Unit | None:
    if token in _UNITS:
        return _UNITS[token]
    # symbols keep their case, names do not
    return _UNITS.get(_singular(token.lower())) if len(token) > 2 else None


def _singular(word: str) -> str:
    if word in _UNITS or not word.endswith("s") or word.endswith("ss") or len(word) < 4:
        return word
    return word[:-1]
