"""Which printed comparison decided a vote, and which line of its code printed it.

Both are found from the text alone, without executing anything; if they cannot be found, there is no
mark. Documents are marked when they are shown, not when a run is indexed, because parsing every
block of code of every vote would take most of the time.
"""

import ast
import re
from collections.abc import Sequence

from genprm.viewer.documents import CodeRun, Document, Evidence, StepView, VoteView

_TRUTH = re.compile(r"\b(?:True|False)\b")
_LONGEST = 100_000  # characters of code that are parsed
_FAILED_ASSERT = re.compile(r"\bAssertionError\b")


def mark_evidence(document: Document) -> Document:
    """The same document with the deciding comparison of every vote."""
    return document.model_copy(update={"steps": tuple(map(mark_step, document.steps))})


def mark_step(step: StepView) -> StepView:
    """The same step with the deciding comparison of every vote, including those of a screening."""
    screening = step.screening and mark_step(step.screening)
    votes = tuple(map(mark_vote, step.votes))
    return step.model_copy(update={"votes": votes, "screening": screening})


def mark_vote(vote: VoteView) -> VoteView:
    """The same vote with its deciding comparison."""
    return vote.model_copy(update={"evidence": find_evidence(vote.runs, vote.label)})


def find_evidence(runs: Sequence[CodeRun], label: bool | None) -> Evidence | None:
    """The comparison that agrees with the vote, in the last block of code that shows one.

    For a vote of No: the first False of that block's output, or its failed assertion. For a vote
    of Yes: the last True of an output without a False.
    """
    if label is None:
        return None
    for index in range(len(runs) - 1, -1, -1):
        lines = runs[index].output.splitlines()
        found = _failing(lines) if label is False else _holding(lines)
        if found is not None:
            line, start, end = found
            asserted = bool(_FAILED_ASSERT.search(lines[line]))
            code = runs[index].code
            printed = _only_assert(code) if asserted else printing_line(code, lines, line)
            return Evidence(run=index, output_line=line, start=start, end=end, code_line=printed)
    return None


def _failing(lines: Sequence[str]) -> tuple[int, int, int] | None:
    for number, line in enumerate(lines):
        for match in _TRUTH.finditer(line):
            if match[0] == "False":
                return number, match.start(), match.end()
        if assertion := _FAILED_ASSERT.search(line):
            return number, assertion.start(), assertion.end()
    return None


def _holding(lines: Sequence[str]) -> tuple[int, int, int] | None:
    if _failing(lines) is not None:
        return None
    for number in range(len(lines) - 1, -1, -1):
        if matches := list(_TRUTH.finditer(lines[number])):
            return number, matches[-1].start(), matches[-1].end()
    return None


def printing_line(code: str, lines: Sequence[str], line: int) -> int | None:
    """Index of the line of code that printed output line `line`, or None if it is unknown.

    A print at the top level that writes one line is counted from the front up to the first
    statement that may print any number of lines, and from the back up to the last such statement.
    """
    if len(code) > _LONGEST:
        return None
    try:
        body = ast.parse(code).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    calls = [_prints(statement) for statement in body]
    every = [at for own in calls for at in own]
    if len(every) == 1:
        return every[0]
    certain = [
        own[0] if own and _one_line(s) else None for s, own in zip(body, calls, strict=True) if own
    ]
    if None not in certain:
        # Fewer lines than prints: an error ended the code, and the first lines still match.
        return certain[line] if len(lines) <= len(certain) else None
    first = certain.index(None)
    if line < first:
        return certain[line]
    last = certain[::-1].index(None)  # certain prints after the last uncertain statement
    from_end = len(lines) - 1 - line
    return certain[len(certain) - 1 - from_end] if from_end < last else None


def _prints(statement: ast.stmt) -> list[int]:
    """Lines of the calls of print in a statement, from 0."""
    return [
        node.lineno - 1
        for node in ast.walk(statement)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "print"
    ]


def _one_line(statement: ast.stmt) -> bool:
    """Whether a statement is a print that certainly writes one line."""
    if not (isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call)):
        return False
    call = statement.value
    if call.keywords or any(isinstance(argument, ast.Starred) for argument in call.args):
        return False
    return len(_prints(statement)) == 1 and not any(
        isinstance(node, ast.Constant) and isinstance(node.value, str) and "\n" in node.value
        for node in ast.walk(call)
    )


def _only_assert(code: str) -> int | None:
    if len(code) > _LONGEST:
        return None
    try:
        tree = ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    asserts = [node.lineno - 1 for node in ast.walk(tree) if isinstance(node, ast.Assert)]
    return asserts[0] if len(asserts) == 1 else None
