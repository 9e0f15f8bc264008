"""Numbers in English words: `twenty-five`, `two thirds`, `three and a half`."""

import re
from fractions import Fraction

_SMALL = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
    "fifteen sixteen seventeen eighteen nineteen"
)
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
_VALUES = {word: value for value, word in enumerate(_SMALL.split())}
_VALUES |= {word: 10 * value for value, word in enumerate(_TENS.split(), start=2)}
SCALES = {
    "hundred": 100, "thousand": 1000, "million": 10**6, "billion": 10**9, "trillion": 10**12,
    "dozen": 12,
}  # fmt: skip
_MOST_WORDS = 8


_PARTS = {
    "half": 2, "halve": 2, "third": 3, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7,
    "eighth": 8, "ninth": 9, "tenth": 10,
}  # fmt: skip
_HALF = re.compile(r"\s+and\s+(?:a|one)[\s-]half$", re.I)


def read_number_words(text: str) -> Fraction | None:
    """The number that `twenty-five`, `two thirds` or `3 and a half` spells, or None."""
    text = text.strip()
    if half := _HALF.search(text):
        whole = text[: half.start()]
        number = int(whole) if whole.isdecimal() and len(whole) < 10 else _whole(whole)
        return None if number is None else number + Fraction(1, 2)
    if text.casefold() == "half":
        return Fraction(1, 2)
    count, _, part = text.replace("-", " ").rpartition(" ")
    size = _PARTS.get(part.casefold().removesuffix("s"))
    if size and count:
        number = 1 if count.casefold() in ("a", "an") else _whole(count)
        return None if number is None or number > 99 else Fraction(number, size)
    number = _whole(text)
    return None if number is None else Fraction(number)


def _whole(text: str) -> int | None:
    words = re.split(r"[\s-]+", text.strip().casefold())
    if len(words) > _MOST_WORDS:
        return None
    total, group, last = 0, 0, 0
    for word in words:
        if word in _VALUES:
            value = _VALUES[word]
            after_tens = 20 <= last < 100 and last % 10 == 0 and value < 10
            if last and last < 100 and not after_tens:
                return None
            group, last = group + value, value
        elif word in ("hundred", "dozen"):
            group, last = max(group, 1) * SCALES[word], 100
        elif word in SCALES:
            total, group, last = total + max(group, 1) * SCALES[word], 0, 1000
        elif word != "and":
            return None
    return total + group if last or words == ["zero"] else None
