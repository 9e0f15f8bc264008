"""Times of day, ratios and dates as final answers spell them."""

import re

from genprm.answer.value import Time, Words

_TIME = re.compile(r"(\d{1,2})\s?:\s?(\d{1,2})(?:\s?:\s?(\d{1,2}))?\s*(?:([ap])\.?\s?m\.?)?", re.I)
_HOUR = re.compile(r"(1[0-2]|0?[1-9])(?:\.(\d\d))?\s*([ap])\.?\s?m\.?", re.I)
_NOON = re.compile(r"(?:12\s+)?(noon|midnight)", re.I)
_RATIO = re.compile(r"(\d{1,9})\s+(?:to|in|out of|parts to)\s+(\d{1,9})", re.I)
_LONG_RATIO = re.compile(r"\d{1,9}(?:\s?:\s?\d{1,9}){1,5}")
_MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september",
    "october", "november", "december",
)  # fmt: skip
_MONTH = rf"(?P<month>{'|'.join(f'{month[:3]}(?:{month[3:]})?' for month in _MONTHS)})\.?"
_DAY = r"(?:the\s+)?(?P<day>\d{1,2})(?:st|nd|rd|th)?"
_YEAR = r"(?:,?\s+(?P<year>\d{4}))?"
_DATES = (
    re.compile(rf"{_MONTH}\s+{_DAY}{_YEAR}", re.I),
    re.compile(rf"{_DAY}\s+(?:of\s+)?{_MONTH}{_YEAR}", re.I),
    re.compile(r"(?P<year>\d{4})-(?P<number>\d{2})-(?P<day>\d{2})"),
)
_SLASHED_DATE = re.compile(r"\d{1,2}/\d{1,2}/\d{4}|\d{1,2}[-.]\d{1,2}[-.]\d{4}")


def read_time(plain: str) -> Time | None:
    """`8:30`, `8:30 PM`, `8 p.m.`, `noon`; a ratio `7:5`, `7 to 5`, `7 out of 12`."""
    if time := _TIME.fullmatch(plain):
        return _time(time[1], time[2], time[3], meridiem=time[4])
    if hour := _HOUR.fullmatch(plain):
        return _time(hour[1], hour[2], meridiem=hour[3])
    if noon := _NOON.fullmatch(plain):
        return Time((12, 0), "PM" if noon[1].lower() == "noon" else "AM")
    if ratio := _RATIO.fullmatch(plain):
        return _time(ratio[1], ratio[2])
    if _LONG_RATIO.fullmatch(plain):
        return _time(*plain.split(":"))
    return None


def read_date(plain: str) -> Words | None:
    """Read a date as words, because it is neither a subtraction nor a fraction."""
    for pattern in _DATES:
        if date := pattern.fullmatch(plain):
            parts = date.groupdict()
            month = _number_of(parts["month"]) if "month" in parts else int(parts["number"])
            return Words(f"{parts['year'] or ''}-{month:02}-{int(parts['day']):02}")
    return Words(plain) if _SLASHED_DATE.fullmatch(plain) else None


def _time(*parts: str | None, meridiem: str | None = None) -> Time:
    said = f"{meridiem.upper()}M" if meridiem else None
    return Time(tuple(int(part) for part in parts if part), said)


def _number_of(month: str) -> int:
    return next(
        number for number, name in enumerate(_MONTHS, start=1) if name.startswith(month[:3].lower())
    )
