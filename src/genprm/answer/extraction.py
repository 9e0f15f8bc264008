r"""Extracts the final answer that a worked solution states.

The last of these counts: a `\boxed{}` (several that only "and" or a comma separates are one
answer), GSM8K's `####`, or a statement ("the answer is …", a heading or label "Final answer").
Without any of them, it is the value of the last line that emphasises one. Nothing is taken from
`<think>` parts, step markers or headings. All scans are linear in the text's length.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from genprm.answer.boxes import boxes, last_group
from genprm.answer.clause import has_value, last_value, stated_value, words_of
from genprm.markup import display_spans
from genprm.step_marker import without_marker

_THINK = re.compile(r"<(/?)(?:think|thinking|thought)>", re.I)
_LINE_END = re.compile(r"\r\n?|\u2028|\u2029")
_EMPTY_BOX = re.compile(r"\\(?:boxed|fbox)[ \t]{0,9}\{[ \t]{0,9}\}")
_HASHES = re.compile(r"^[ \t]*####(?!#)[ \t]*([^\n]*)$", re.M)
_STATEMENT = re.compile(
    r"\b(?:answers?|(?:correct|right|best) (?:option|choice))\b"
    r"(?:[ \t]+(?:to|for|of)\b[^.\n:=]{0,80}?)?[\"'*_)\]]{0,4}[ \t]{0,3}"
    r"(?:\b(?:is|are|would be|will be|must be|equals)\b[ \t]*:?|[:：=]|[-–—][ \t])",
    re.I,
)
_HEADING = re.compile(
    r"^[#>*_\- \t]{0,8}(?:the[ \t]+)?(?:final[ \t]+)?(?:answers?|result)"
    r"[ \t]{0,3}[:：*_]{0,5}[ \t]{0,3}$",
    re.I | re.M,
)
_NO_ANSWER = re.compile(
    r"(?:(?:in)?correct|right|wrong|not|in|the same|given|as follows|reasonable)\b|yes,? ",
    re.I,
)
_LIST_NUMBER = re.compile(r"^\d{1,3}[.)](?=\s|$)")
_MOST = 50  # statements that are looked at, from the end
_LONGEST = 2_000  # characters of a statement that are looked at
_HEADING_WORDS = re.compile(
    r"(?:the\s+)?(?:final\s+)?(?:answer|result|solution|conclusion)s?\b[\s:：*_]*", re.I
)


class _Found(NamedTuple):
    start: int
    end: int
    answer: str


def extract_answer(text: str) -> str | None:
    """The final answer that a worked solution states, or None."""
    text = _EMPTY_BOX.sub("", _visible(_LINE_END.sub("\n", text)))
    tagged = _tagged(text)
    if tagged is not None:
        return extract_answer(tagged) or tagged
    found = [*_last_boxes(text), *_last_hashes(text), *_last_statement(text)]
    if found:
        return max(found, key=lambda one: one.end).answer
    results = (_of_block(block) for block in _blocks_backwards(text))
    return next((result for result in results if result), None)


def _visible(text: str) -> str:
    """The text without its `<think>` parts; an unclosed one hides everything after it."""
    visible: list[str] = []
    at: int | None = 0
    for tag in _THINK.finditer(text):
        if not tag[1]:
            if at is not None:
                visible.append(text[at : tag.start()])
            at = None
        else:
            if at is not None:
                visible.clear()  # some templates hold the opening tag in the prompt
            at = tag.end()
    if at is not None:
        visible.append(text[at:])
    return "".join(visible)


def _tagged(text: str) -> str | None:
    """The content of the last `<answer>…</answer>`; a stop string may have removed its end."""
    end = text.rfind("</answer>")
    last = text.rfind("<answer>")
    if last > end:
        return text[last + len("<answer>") :].strip() or None
    start = text.rfind("<answer>", 0, max(end, 0))
    return text[start + len("<answer>") : end].strip() or None if 0 <= start < end else None


def _last_boxes(text: str) -> Iterator[_Found]:
    found = boxes(text)
    if found:
        group = last_group(text, found)
        contents = list(dict.fromkeys(box.content for box in group))
        yield _Found(group[0].start, group[-1].end, ", ".join(contents))


def _last_hashes(text: str) -> Iterator[_Found]:
    """GSM8K's mark `#### 72`; `#### Step two` and `#### Final answer` are headings."""
    for match in list(_HASHES.finditer(text))[: -_MOST - 1 : -1]:
        content = without_marker(match[0].strip()).lstrip("#").strip()
        content = _HEADING_WORDS.sub("", content, count=1) if content else ""
        is_last = not text[match.end() :].strip()
        answer = stated_value(content)
        if answer is None and is_last:
            answer = words_of(content)
        if answer is not None and (is_last or content.strip("*$ .").startswith(answer)):
            yield _Found(match.start(), match.end(), answer)
            return


def _last_statement(text: str) -> Iterator[_Found]:
    """The last "answer is …" or label "Final answer" that is followed by a value."""
    statements = [*_STATEMENT.finditer(text), *_HEADING.finditer(text)]
    in_words: _Found | None = None
    for match in sorted(statements, key=lambda match: match.end(), reverse=True)[:_MOST]:
        tail = text[match.end() : match.end() + _LONGEST]
        answer = stated_value(tail)
        if answer is not None:
            yield _Found(match.start(), match.end(), answer)
            return
        words = words_of(tail)
        if in_words is None and words and not _NO_ANSWER.match(words):
            in_words = _Found(match.start(), -1, words)  # all else comes first
    if in_words is not None:
        yield in_words


def _blocks_backwards(text: str) -> Iterator[str]:
    """Display mathematics as a whole, and the other lines, from the end."""
    end = len(text)
    for span in reversed(display_spans(text)):
        yield from reversed(text[span.end : end].split("\n"))
        yield text[span.start : span.end]
        end = span.start
    yield from reversed(text[:end].split("\n"))


def _of_block(block: str) -> str | None:
    line = _LIST_NUMBER.sub("", without_marker(block.strip()))
    return last_value(line) if has_value(line) else None
