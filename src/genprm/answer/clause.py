r"""The expression that a clause states: "12" in "is 12, since 3 * 4 = 12 and 5 > 4".

A clause is read as a run of mathematical tokens: numbers, signs, TeX commands, single letters,
function names, brackets. The run ends with the clause: at an ordinary word, the end of the
sentence, an explanation in brackets, or a comma before a word. A known unit after it is kept.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from genprm.answer.sides import is_whole, trimmed, value_side
from genprm.answer.spelling import ascii_signs
from genprm.answer.units import leading_unit

_DISPLAY = re.compile(
    r"\s*(?:\\\[(?P<bracket>.*?)\\\]|\$\$(?P<dollars>.*?)\$\$"
    r"|\\begin\{(?P<name>(?:align|equation|gather|aligned|eqnarray)\*?)\}(?P<rows>.*?)\\end\{(?P=name)\})",
    re.S,
)
_INLINE = re.compile(r"\$(?=\S)((?:[^$\\\n]|\\[^\n])+?)(?<=\S)\$(?!\d)|\\\(([^\n]{1,1000}?)\\\)")
_BOLD = re.compile(r"(\*\*|__|`)(?=\S)([^*_`\n]{1,300}?)(?<=\S)\1")
_JOINT = re.compile(r"[\s,;]{0,3}(?:\b(?:and|or)\b[\s,]{0,2})?(?:\*\*)?")
_LEAD = re.compile(
    r"[\s:*_>\"'“‘]*(?:(?:therefore|thus|then|now|hence|simply|just|exactly|about|approximately"
    r"|roughly|equal to|equals|option|choice|letter|indeed|clearly|given by|found to be|a total of"
    r"|also|still|only|as follows|either)\b[\s:,*_]*){0,3}",
    re.I,
)
_CHOICE = re.compile(r"(?:\(([A-Ja-j])\)|([A-J])[).:](?=\s|\*|$)|([A-J])(?=\s*(?:$|[.\n*])))")
_TEXT_CHOICE = re.compile(r"\\(?:text|textbf|mathrm|mathbf|mbox)\s*\{\s*\(?([A-J])\)?\s*\}")
_TOKEN = re.compile(
    r"\s{0,4}(?:"
    r"(?P<command>\\begin\{(?P<name>\w+)\}.{0,300}?\\end\{(?P=name)\}|\\(?:text|textbf|textit|mathrm|mathbf|mbox|operatorname)\s*\{[^{}\n]{0,80}\}|\\[A-Za-z]+|\\[^A-Za-z\s])"
    r"|(?P<number>\d{1,3}(?:(?:,|\{,\}|,\\!\s?)\d{3})+(?!\d)(?:\.\d+)?|\d+\.(?=\\(?:overline|bar|dot))|\d+(?:\.\d+)?(?:[eE][+-]?\d+(?![A-Za-z]))?|\.\d+)"
    r"|(?P<function>(?:arc)?(?:sin|cos|tan|cot|sec|csc)h?|sqrt|log|ln|exp|pi|infinity|max|min|mod)(?![A-Za-z])"
    r"|(?P<letter>[A-Za-zα-ωΑ-Ω](?![A-Za-zα-ωΑ-Ω]|[&'’][A-Za-z]|-[A-Za-z]{2}))"
    r"|(?P<sign>[-+*/^_=<>≤≥≠±∓×·⋅÷√∞°%!|{}\[\]:∪∩∅∈²³¹⁰⁴-⁹¼-¾⅐-⅞≈'′–])"
    r"|(?P<bracket>[()])"
    r"|(?P<glue>,(?=\s*[\d\\$({\[+\-.]|\s*[A-Za-z](?![A-Za-z'])|\s*(?:and|or)\s)|(?:and|or)(?=\s+[\d\\$({\[+\-.]|\s+[A-Za-z]\b))"
    r"|(?P<currency>\\?[$€£¥₹](?=\s?[\d.]))"
    r")"
)
_EXPLANATION = re.compile(
    r"\s*\((?=\s*(?:=|≈|[^()]*[A-Za-z]{2,}[^()]*\s|[^()]*\s[A-Za-z]{3,}))(?![^()]*\\)"
)
_AFTERTHOUGHT = re.compile(r",?\s+(?:since|because|given that)\b.*", re.I | re.S)
_SENTENCE = re.compile(r"(?:[.!?]|\.\*\*)(?=[\s\"'”’*)]|$)|\n")
_MERIDIEM = re.compile(r"\s?\b([ap])\.?\s?m\b\.?", re.I)
_PERCENT = re.compile(r"\s?(?:\\?%|percent\b|per cent\b)", re.I)
_BASE = re.compile(r"\s*\(?(?:in\s+)?base[\s-]*(\d{1,2}|[a-z]+)\)?", re.I)
_COMPOUND = re.compile(r",?\s+(?:and\s+)?\d+(?:\.\d+)?")  # `3 hours and 20 minutes`
_REMAINDER = re.compile(r",?\s+(?:with\s+)?(?:a\s+)?(?:remainder|[Rr])\s+(?:of\s+|is\s+)?\d+\b")
_GOES_ON = re.compile(r"\s?(?:\.{3,}|…)")
_YES_OR_NO = re.compile(r"(yes|no)\b(?=\s*[,;.!–—]|\s*$)", re.I)
_WORD = re.compile(r"\s*(?:[^\W\d_]+(?:[-‑][\w.]*\d\b)?|\S)")  # `GPT-4` is one
_LONGEST_RUN, _LONGEST_LINE = 1_000, 4_000
_NUMBER = re.compile(r"-?\d[\d,]*(?:\.\d+)?(?:/\d+)?")


class _Run(NamedTuple):
    start: int
    end: int
    value: str


def stated_value(tail: str) -> str | None:
    """The value after "the answer is", up to the end of its clause; None if it is only words."""
    tail = ascii_signs(tail)
    tail = tail[_lead_end(tail) :]
    if display := _DISPLAY.match(tail):
        return _display_value(display)
    if bold := _BOLD.match(tail):
        return stated_value(bold[2]) or None
    if choice := _CHOICE.match(tail) or _TEXT_CHOICE.match(tail):
        letter: str = choice[choice.lastindex or 0]
        return letter.upper()
    group = _inline_group(tail, 0)
    if group is not None:
        return group.value
    first = _run(tail, 0, lists=True)
    if first is not None and _carries_value(first.value):
        return value_side(first.value, whole_equations=True)
    sentence = tail[: _sentence_end(tail)]
    return last_value(sentence) if has_value(sentence) else None


def last_value(line: str) -> str | None:
    """The result of a sentence: bold text, or else mathematics, or else its last number."""
    line = ascii_signs(line[-_LONGEST_LINE:])
    if display := _DISPLAY.match(line):
        return _display_value(display)
    bold = [
        match for match in _BOLD.finditer(line) if match[1] != "`" and not _is_label(match, line)
    ]
    if bold:
        inner = bold[-1][2].strip()
        return stated_value(inner) or inner.rstrip(".")
    line = _AFTERTHOUGHT.sub("", line)
    groups = list(_inline_groups(line))
    if groups:
        return groups[-1].value
    runs = [run for run in _runs(line) if any(character.isdigit() for character in run.value)]
    if not runs:
        return None
    value = value_side(runs[-1].value)
    return value if is_whole(value) else _NUMBER.findall(value)[-1]


def has_value(line: str) -> bool:
    """Whether a line can state a value: it contains a digit, mathematics or bold text."""
    return any(character.isnumeric() for character in line) or any(
        sign in line
        for sign in ("$", "\\(", "\\[", "**", "\\frac", "\\sqrt", "\\pi", "π", "√", "\\begin")
    )


def words_of(tail: str) -> str | None:
    """The words of a clause without an expression: a name, or yes or no."""
    tail = tail[_lead_end(tail) :]
    if plain := _YES_OR_NO.match(tail.lstrip(" \t*_`\"'")):
        return plain[1]
    words = tail[: _sentence_end(tail)].strip(" \t*_`\"'“”‘’.,:;$#")
    return words if words and len(words) <= 80 else None


def _lead_end(tail: str) -> int:
    lead = _LEAD.match(tail)
    return lead.end() if lead else 0


def _display_value(display: re.Match[str]) -> str | None:
    content = display["bracket"] or display["dollars"] or display["rows"] or ""
    rows = [row for row in re.split(r"\\\\(?:\[[^\]\n]*\])?", content) if row.strip()]
    if not rows or "\\begin" in content:  # a matrix or cases belong together
        content = content.strip()
        return value_side(content) if content else None
    return value_side(" ".join(rows[-1].split()), whole_equations=True)


def _inline_groups(line: str) -> Iterator[_Run]:
    """Inline mathematics, each with what "and" or a comma joins to it."""
    at = 0
    while match := _INLINE.search(line, at):
        group = _inline_group(line, match.start())
        if group is not None:
            yield group
        at = group.end if group is not None else match.end()


def _inline_group(line: str, start: int) -> _Run | None:
    contents: list[str] = []
    end = start
    match = _INLINE.match(line, start)
    while match:
        content = (match[1] or match[2] or "").strip()
        contents.append(value_side(content, whole_equations=True) if content else "")
        end = match.end()
        joint = _JOINT.match(line, end)
        match = _INLINE.match(line, joint.end() if joint else end)
        if match and joint is not None and not joint[0].strip():
            break  # two formulas side by side are no list
    contents = list(dict.fromkeys(filter(None, contents)))
    if not contents:
        return None
    value = ", ".join(contents)
    if len(contents) == 1:
        extra, end = _behind(line, end, value)
        value += extra
    return _Run(start, end, value)


def _runs(line: str) -> Iterator[_Run]:
    at = 0
    while at < len(line):
        before = line[max(0, at - 12) : at].rstrip()
        run = _run(line, at, lists=before.endswith((" are", ":")))
        if run is None:
            word = _WORD.match(line, at)
            signs = _run_end(line, at, lists=False)  # of signs alone
            at = max(signs, word.end()) if word else len(line)
            if explanation := _EXPLANATION.match(line, at):
                at = _closing(line, explanation.end())
            continue
        yield run
        at = max(run.end, at + 1)
        if explanation := _EXPLANATION.match(line, at):
            at = _closing(line, explanation.end())


def _closing(line: str, start: int) -> int:
    end = line.find(")", start)
    return end + 1 if end >= 0 else start


def _run(text: str, start: int, *, lists: bool) -> _Run | None:
    """The run of mathematical tokens from `start` on."""
    end = _run_end(text, start, lists=lists)
    value = trimmed(text[start:end])
    if not value:
        return None
    place = text.index(value, start)
    extra, end = _behind(text, place + len(value), value)
    return _Run(start, max(end, place + len(value)), value.lstrip("$") + extra)


def _run_end(text: str, start: int, *, lists: bool) -> int:
    end, braces, brackets = start, 0, 0
    while end - start < _LONGEST_RUN:
        token = _TOKEN.match(text, end)
        if token is None or (end > start and _EXPLANATION.match(text, end)):
            break
        if "\n" in token[0] or _is_word(text, start, token):
            break
        inner = braces > 0 or brackets > 0
        if token["glue"] and not (lists or inner):
            break
        sign = token["sign"] or token["bracket"] or ""
        following = text[token.end() : token.end() + 2]
        if sign == "!" and (not following.strip() or following.strip()[-1:].isupper()):
            break
        if sign == ":" and not (inner or re.match(r"\s?\d", following)):
            break
        braces += {"{": 1, "}": -1}.get(sign, 0)
        brackets += {"(": 1, "[": 1, ")": -1, "]": -1}.get(sign, 0)
        if braces < 0 or brackets < 0:
            break
        end = token.end()
    return end


def _is_word(text: str, start: int, token: re.Match[str]) -> bool:
    """Whether a letter is an article, or the first letter of "p.m." after a number."""
    if token["letter"] in ("a", "A", "I") and re.match(r"\s+[A-Za-z]{2}", text[token.end() :][:8]):
        return True
    before = text[start : token.start()]
    return before[-1:].isdigit() and _MERIDIEM.match(text, token.start()) is not None


def _behind(text: str, end: int, value: str) -> tuple[str, int]:
    """The percent sign, AM or PM, or known unit after a value, and where it ends."""
    if not value[-1:].isalnum() and value[-1:] not in "})":
        return "", end
    if percent := _PERCENT.match(text, end):
        return "\\%", percent.end()
    if re.search(r"\d$", value) and (meridiem := _MERIDIEM.match(text, end)):
        return f" {meridiem[1].upper()}M", meridiem.end()
    if re.search(r"\d$", value) and (more := _REMAINDER.match(text, end)):
        return f"\\text{{{more[0].replace(',', '')}}}", more.end()
    if re.search(r"\.\d+$", value) and (dots := _GOES_ON.match(text, end)):
        return "\\dots", dots.end()
    if re.search(r"\d$", value) and (base := _BASE.match(text, end)):
        return f"_{{{base[1]}}}", base.end()
    length = leading_unit(text[end : end + 60])
    while length and (part := _COMPOUND.match(text, end + length)):
        behind = leading_unit(text[part.end() : part.end() + 60])
        if not behind:
            break
        length = part.end() + behind - end
    unit = text[end : end + length].strip().rstrip(".")
    return (f"\\text{{ {unit}}}", end + length) if unit else ("", end)


def _carries_value(value: str) -> bool:
    return any(character.isnumeric() for character in value) or bool(
        re.search(r"\\[A-Za-z]|[=^πα-ωΑ-Ω∞∅√]|\bpi\b|\binfinity\b", value)
        or re.fullmatch(r"[A-Za-z]|[-+]?[A-Za-z](?:\s?[-+*/]\s?[A-Za-z])+", value)
    )


def _is_label(bold: re.Match[str], line: str) -> bool:
    """Bold text that names what follows it: `**Total:** 48`."""
    inner, rest = bold[2].rstrip(), line[bold.end() :].strip(" .")
    return inner.endswith((":", "：")) or (rest.startswith((":", "：")) and len(rest) > 1)


def _sentence_end(tail: str) -> int:
    end = _SENTENCE.search(tail)
    return end.start() if end else len(tail)
