"""GSM8K's worked answers, right and with one planted error, as labelled rows.

    python -m training.language.gsm8k_set ../shared/data/gsm8k/train.jsonl build/language

300 problems, drawn with SEED from the fifteenth part of the file that nothing is trained on. The
annotations `<<48/2=24>>` tell each step's calculation: an error is planted in one of them (a wrong
result, operation or operand, or an earlier result given as the answer), and later steps follow it.
"""

import json
import random
import re
import sys
import zlib
from collections.abc import Iterator, Mapping
from fractions import Fraction
from pathlib import Path

from genprm.calculator.exact import NotArithmeticError, evaluate

SEED = 18
PROBLEMS = 300
KINDS = ("result", "operation", "operand", "premature")
OTHERS = {"+": "-*", "-": "+", "*": "+/", "/": "*-"}
_MARK = re.compile(r"<<([^<>=]*)=([^<>=]*)>>")
_NUMBER = re.compile(r"\d+(?:\.\d+)?")


def held_out(question: str) -> bool:
    """Whether a problem is among those that nothing is trained on."""
    return zlib.crc32(question.encode()) % 15 == 0


def rows(path: Path) -> Iterator[dict[str, object]]:
    """Two rows for each problem in which an error could be planted."""
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    problems = [row for row in lines if held_out(row["question"])]
    rng = random.Random(SEED)
    rng.shuffle(problems)
    count = 0
    for row in problems:
        lines = [line for line in row["answer"].split("\n####")[0].splitlines() if line.strip()]
        kind = KINDS[count % len(KINDS)]
        planted = plant(row["question"], lines, kind, rng)
        if planted is None:
            continue
        steps, place = planted
        common = {"problem": row["question"]}
        right = [_MARK.sub("", line) for line in lines]
        yield {"id": f"gsm8k-planted-{count}-right", "generator": "no error", **common,
               "steps": right, "label": -1, "final_answer_correct": True}  # fmt: skip
        yield {"id": f"gsm8k-planted-{count}-{kind}", "generator": kind, **common,
               "steps": steps, "label": place, "final_answer_correct": False}  # fmt: skip
        count += 1
        if count == PROBLEMS:
            return


def plant(
    question: str, lines: list[str], kind: str, rng: random.Random
) -> tuple[list[str], int] | None:
    """The steps with an error of a kind and its place; None where it cannot be planted."""
    marks = [_MARK.findall(line) for line in lines]
    places = [place for place, found in enumerate(marks) if len(found) == 1]
    if kind == "premature":
        if len(lines) < 2 or not marks[-2]:
            return None
        stop = f"So the answer is {marks[-2][-1][1]}."
        return [*(_MARK.sub("", line) for line in lines[:-1]), stop], len(lines) - 1
    rng.shuffle(places)
    for place in places:
        ((expression, result),) = marks[place]
        changed = _mistaken(expression, result, kind, _NUMBER.findall(question), rng)
        before = _MARK.sub("", lines[place])
        written = _rewritten(lines[place], expression, changed[0]) if changed else None
        if changed is None or written is None:
            continue
        steps = [_MARK.sub("", line) for line in lines[:place]]
        new = {result: changed[1]}
        wrong = _swapped(_MARK.sub("", written), new, only_result=True)
        if wrong == before:
            continue
        return [*steps, wrong, *_following(lines[place + 1 :], new)], place
    return None


def _mistaken(
    expression: str, result: str, kind: str, others: list[str], rng: random.Random
) -> tuple[str, str] | None:
    """Another calculation and its result; of the kind `result` the same one and a wrong result."""
    if kind == "result":
        value = _value(result)
        return (
            None if value is None else (expression, _text(value + rng.choice((-2, -1, 1, 2, 10))))
        )
    if kind == "operation":
        signs = [m.start() for m in re.finditer(r"(?<=[\d)])[-+*/](?=[\d(.])", expression)]
        if not signs:
            return None
        at = rng.choice(signs)
        new = expression[:at] + rng.choice(OTHERS[expression[at]]) + expression[at + 1 :]
    else:
        found = list(_NUMBER.finditer(expression))
        fresh = [number for number in others if number not in expression]
        if not found or not fresh:
            return None
        one = rng.choice(found)
        new = expression[: one.start()] + rng.choice(fresh) + expression[one.end() :]
    value, old = _value(new), _value(result)
    if value is None or value <= 0 or value == old or (value * 100).denominator != 1:
        return None
    return new, _text(value)


def _rewritten(line: str, old: str, new: str) -> str | None:
    """The line with the calculation changed where it is printed; None where it is not printed."""
    if old == new:
        return line
    pattern = r"\s*".join(
        rf"[$€]?{re.escape(part)}" if part[0].isdigit() or part[0] == "." else
        (r"(?:\*|x|×)" if part == "*" else re.escape(part))
        for part in re.findall(r"[\d.]+|.", old)
    )  # fmt: skip
    changed, count = re.subn(
        rf"(?<![\d.]){pattern}(?![\d])(?=[^<]*<<)", lambda _: new, line, count=1
    )
    return changed if count else None


def _following(lines: list[str], new: dict[str, str]) -> Iterator[str]:
    """The later steps, worked out with the wrong values."""
    for line in lines:
        changed = line
        for expression, result in _MARK.findall(line):
            replaced = _NUMBER.sub(lambda found: new.get(found[0], found[0]), expression)
            value = _value(replaced)
            if replaced != expression and value is not None:
                new[result] = _text(value)
        yield _swapped(_MARK.sub("", changed), new)


def _swapped(text: str, new: Mapping[str, str], *, only_result: bool = False) -> str:
    """The text with old values replaced; in the wrong step itself only after an equals sign."""
    if only_result:
        ((old, value),) = new.items()
        head, sign, tail = text.rpartition("=")
        swapped = re.sub(rf"(?<![\d.]){re.escape(old)}(?![\d]|\.\d)", value, tail, count=1)
        return head + sign + swapped if sign and swapped != tail else text
    return _NUMBER.sub(lambda found: new.get(found[0], found[0]), text)


def _value(text: str) -> Fraction | None:
    try:
        return evaluate(text.replace("%", "/100").replace(",", ""))
    except NotArithmeticError:
        return None


def _text(number: Fraction) -> str:
    return f"{float(number):.2f}".rstrip("0").rstrip(".")


def main(source: Path, folder: Path) -> None:
    """Write gsm8k-planted.jsonl."""
    folder.mkdir(parents=True, exist_ok=True)
    made = list(rows(source))
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in made)
    (folder / "gsm8k-planted.jsonl").write_text(text)
    print(f"{folder / 'gsm8k-planted.jsonl'}: {len(made)} solutions")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
