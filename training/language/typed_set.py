"""Problems as people type them, written by hand, as labelled rows for `genprm evaluate`.

    python -m training.language.typed_set build/language

Writes typed-dev.jsonl (80 problems) and typed-test.jsonl (120): every problem has a right solution
and one with an error. The split is drawn with SEED; nothing is trained on either file, and nothing
is tuned on the second. Also fresh.jsonl: 100 problems, written later and before any judge was run
on them, each with one solution, right or wrong; nothing is tuned on it.

The notation of `data/*.txt`, one block for a problem:

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
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

DATA = Path(__file__).with_name("data")
SEED = 18
DEV = 80


@dataclass(frozen=True, slots=True)
class TypedProblem:
    """A problem with a right and a wrong solution, or with one of them."""

    topic: str
    text: str
    right: tuple[str, ...]
    wrong: tuple[str, ...]
    first_error: int
    kind: str
    shown: bool  # a false printed equation gives the error away

    def rows(self, name: str) -> Iterator[dict[str, object]]:
        """ProcessBench's fields; `generator` is the kind of error, so that breakdowns show it."""
        shown = "shown" if self.shown else "hidden"
        common = {"problem": self.text, "topic": self.topic}
        if self.right:
            yield {
                "id": f"{name}-right",
                "generator": "no error",
                **common,
                "steps": self.right,
                "label": -1,
                "final_answer_correct": True,
            }
        if self.wrong:
            yield {
                "id": f"{name}-{shown}",
                "generator": f"{self.kind}, {shown}",
                **common,
                "steps": self.wrong,
                "label": self.first_error,
                "final_answer_correct": self.kind == "lucky",
            }


def read_typed(files: str = "typed-*.txt") -> list[TypedProblem]:
    """All problems of the files, in order."""
    texts = [path.read_text() for path in sorted(DATA.glob(files))]
    blocks = [block for text in texts for block in re.split(r"(?m)^@ ", text)[1:]]
    return [_problem(block.strip().splitlines()) for block in blocks]


def split(problems: list[TypedProblem]) -> dict[str, list[int]]:
    """The numbers of the problems of each split."""
    order = random.Random(SEED).sample(range(len(problems)), len(problems))
    return {"dev": sorted(order[:DEV]), "test": sorted(order[DEV:])}


def _problem(lines: list[str]) -> TypedProblem:
    topic, text, *solutions = lines
    right = next((_steps(line[2:]) for line in solutions if line.startswith("+ ")), ())
    wrong = next((line for line in solutions if line.startswith("- ")), None)
    if wrong is None:
        return TypedProblem(topic, text, right, (), -1, "", shown=False)
    found = re.fullmatch(r"- (\d+) (\S+) ([eh]) (.*)", wrong)
    if found is None:
        raise ValueError(f"cannot read the block of {text!r}")
    place, kind, shown, steps = found.groups()
    return TypedProblem(topic, text, right, _steps(steps), int(place), kind, shown=shown == "e")


def _steps(text: str) -> tuple[str, ...]:
    return tuple(step.strip() for step in text.split(" | "))


def _write(path: Path, problems: Mapping[str, TypedProblem]) -> None:
    rows = [row for name, problem in problems.items() for row in problem.rows(name)]
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    print(f"{path}: {len(problems)} problems, {len(rows)} solutions")


def main(folder: Path) -> None:
    """Write the three files."""
    folder.mkdir(parents=True, exist_ok=True)
    problems = read_typed()
    for name, numbers in split(problems).items():
        own = {f"typed-{number}": problems[number] for number in numbers}
        _write(folder / f"typed-{name}.jsonl", own)
    fresh = enumerate(read_typed("fresh.txt"))
    _write(folder / "fresh.jsonl", {f"fresh-{number}": problem for number, problem in fresh})


if __name__ == "__main__":
    main(Path(sys.argv[1]))
