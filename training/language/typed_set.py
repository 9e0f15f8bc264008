"""Problems as people type them, written by hand, as labelled rows for `genprm evaluate`.

    python -m training.language.typed_set build/language

Writes typed-dev.jsonl (80 problems) and typed-test.jsonl (120): every problem has a right solution
and one with an error. The split is drawn with SEED; nothing is trained on either file, and nothing
is tuned on the second.

The notation of `data/typed-*.txt`, one block for a problem:

    @ topic
    the problem
    + step | step | step                    a right solution
    - 1 operation h step | step | step      a wrong one: index of the first wrong step (from 0), the
                                            kind of error, and e where a false printed equation
                                            gives it away, h (hidden) where none does
"""

from __future__ import annotations

import json
import random
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

DATA = Path(__file__).with_name("data")
SEED = 18
DEV = 80


@dataclass(frozen=True, slots=True)
class TypedProblem:
    """A problem with a right and a wrong solution."""

    topic: str
    text: str
    right: tuple[str, ...]
    wrong: tuple[str, ...]
    first_error: int
    kind: str
    shown: bool  # a false printed equation gives the error away

    def rows(self, number: int) -> Iterator[dict[str, object]]:
        """ProcessBench's fields; `generator` is the kind of error, so that breakdowns show it."""
        shown = "shown" if self.shown else "hidden"
        common = {"problem": self.text, "topic": self.topic}
        yield {
            "id": f"typed-{number}-right",
            "generator": "no error",
            **common,
            "steps": self.right,
            "label": -1,
            "final_answer_correct": True,
        }
        yield {
            "id": f"typed-{number}-{shown}",
            "generator": f"{self.kind}, {shown}",
            **common,
            "steps": self.wrong,
            "label": self.first_error,
            "final_answer_correct": self.kind == "lucky",
        }


def read_typed(folder: Path = DATA) -> list[TypedProblem]:
    """All problems of the folder, in order."""
    texts = [path.read_text() for path in sorted(folder.glob("typed-*.txt"))]
    blocks = [block for text in texts for block in re.split(r"(?m)^@ ", text)[1:]]
    return [_problem(block.strip().splitlines()) for block in blocks]


def split(problems: list[TypedProblem]) -> dict[str, list[int]]:
    """The numbers of the problems of each split."""
    order = random.Random(SEED).sample(range(len(problems)), len(problems))
    return {"dev": sorted(order[:DEV]), "test": sorted(order[DEV:])}


def _problem(lines: list[str]) -> TypedProblem:
    topic, text, right, wrong = lines
    found = re.fullmatch(r"- (\d+) (\S+) ([eh]) (.*)", wrong)
    if found is None or not right.startswith("+ "):
        raise ValueError(f"cannot read the block of {text!r}")
    place, kind, shown, steps = found.groups()
    return TypedProblem(
        topic, text, _steps(right[2:]), _steps(steps), int(place), kind, shown == "e"
    )


def _steps(text: str) -> tuple[str, ...]:
    return tuple(step.strip() for step in text.split(" | "))


def main(folder: Path) -> None:
    """Write both files."""
    problems = read_typed()
    folder.mkdir(parents=True, exist_ok=True)
    for name, numbers in split(problems).items():
        rows = [row for number in numbers for row in problems[number].rows(number)]
        text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        (folder / f"typed-{name}.jsonl").write_text(text)
        print(f"{folder / f'typed-{name}.jsonl'}: {len(numbers)} problems, {len(rows)} solutions")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
