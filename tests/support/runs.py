"""Runs as files for the tests of the viewer: rows with every kind of vote, and hostile ones."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

CODE = "total = 2 + 3\nprint(total)\nprint(total == 6)"
HOSTILE = (
    '<script>window.pwned=1</script><img src=x onerror="window.pwned=1">'
    "\u202egnirts\u202c \x00\x07\x1b[31m [l](javascript:alert(1)) ![i](http://evil.example/x.png) "
    "$\\href{javascript:alert(1)}{x}$ $\\includegraphics{http://evil.example/y.png}$ "
    "$\\html{<b>}$ **bold** `code` \U0001f600 </textarea></div>"
)


def vote(reward: float | None, analysis: str = "I add.", **more: Any) -> dict[str, Any]:
    """One vote's row; its code prints a comparison that agrees with the reward."""
    label = reward is not None and reward >= 0.5
    output = f"5\n{label}"
    text = (
        f"<analyze>\nLet's analyze the Paragraph {more.pop('step', 1)} step by step: {analysis}\n"
        "</analyze>\n<verify>\nLet's use python code to find any potential error:\n```python\n"
        f"{CODE}\n```\n[Code Output]\n\n```\n{output}\n```\n</verify>\n<output>\n"
        f"**Judgement**: $\\boxed{{{'Yes' if label else 'No'}}}$\n</output>\n"
    )
    return {
        "reward": reward,
        "analysis": analysis,
        "runs": [{"code": CODE, "output": output, "status": "ok"}],
        "flags": [] if reward is not None else ["truncated"],
        "text": text,
        "usage": {"tokens_in": 1, "tokens_out": 10, "executions": 1, "seconds": 0.5},
        **more,
    }


def step(text: str, rewards: Sequence[float | None], number: int = 1) -> dict[str, Any]:
    """One judged step with a vote for each reward."""
    known = [reward for reward in rewards if reward is not None]
    mean = sum(known) / len(known) if known else None
    return {
        "text": text,
        "reward": mean,
        "label": None if mean is None else mean >= 0.5,
        "asked": len(rewards),
        "wanted": len(rewards),
        "votes": [vote(reward, step=number) for reward in rewards],
    }


def solution(row: int, rewards: Sequence[Sequence[float | None]], **more: Any) -> dict[str, Any]:
    """A row of `genprm verify`."""
    steps = [
        step(f"Step {at} of row {row}: $2 + 3 = {at}$.", own, at)
        for at, own in enumerate(rewards, 1)
    ]
    labels = [own["label"] for own in steps]
    error = labels.index(False) if False in labels else -1
    return {
        "id": f"row-{row}",
        "row": row,
        "problem": f"What is $2 + 3$, asked for the {row}th time?",
        "first_error": error,
        "steps": steps,
        "usage": {"tokens_in": 1, "tokens_out": 40, "executions": 2, "seconds": 1.0},
        **more,
    }


def hostile(row: int) -> dict[str, Any]:
    """A row in which every text is an attack on the page."""
    made = solution(row, [[0.1, 0.9], [None]], id=HOSTILE, problem=HOSTILE)
    for own in made["steps"]:
        own["text"] = HOSTILE
        for ballot in own["votes"]:
            ballot.update(analysis=HOSTILE, text=HOSTILE, cause=HOSTILE)
            ballot["runs"] = [{"code": HOSTILE, "output": HOSTILE + "\nFalse", "status": HOSTILE}]
    return made


_WORDS = ("status", "flags", "kind", "cause", "unreadable", "mode", "role", "author")
_NAMES = ("problem", "key", "path", "id")  # by which rows of several files find each other


def attacked(row: Any, field: str = "") -> Any:
    """The same row with an attack in every text. Words of a fixed set stay, and names that join
    the files of a curation are only added to.
    """
    if isinstance(row, dict):
        if "outcomes" in row:  # counts by a fixed set of words
            return {**{k: attacked(v, k) for k, v in row.items()}, "outcomes": row["outcomes"]}
        return {name: attacked(value, name) for name, value in row.items()}
    if isinstance(row, list):
        return [attacked(value, field) for value in row]
    if not isinstance(row, str) or field in _WORDS:
        return row
    return f"{row} {HOSTILE}" if field in _NAMES else HOSTILE


def write_run(file: Path, rows: Sequence[dict[str, Any]], command: str = "verify") -> Path:
    """A run file with its specification."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    specification = {"genprm": "0.1.0", "command": command, "model": "arithmetic"}
    file.with_name(file.name + ".run.json").write_text(json.dumps(specification) + "\n")
    return file
