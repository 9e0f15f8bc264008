"""Whole numbers in English words."""

import re

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


def read_number_words(text: str) -> int | None:
    """The number that `twenty-five` or `three hundred` spells, or None."""
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
