"""Write held-out exercises as labelled rows, one file per family, for `genprm evaluate`.

    python benchmarks/held_out.py 150 build/held-out
    genprm evaluate processbench build/held-out --mode genprm -o build/runs/genprm

No problem of the training split is among them (see `arithmetic.problems.split_of`). The kind of
the first error stands where ProcessBench names the generator, so that the breakdown shows it.
"""

import json
import sys
from itertools import islice
from pathlib import Path

from genprm.arithmetic.exercise import Family
from genprm.arithmetic.problems import Split, exercises

SEED = 2026_11_22


def main(count: int, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for family in Family:
        drawn = islice(exercises(SEED, Split.HELD_OUT, family=family), count)
        with (folder / f"{family}.jsonl").open("w") as file:
            for number, exercise in enumerate(drawn):
                row = {
                    "id": f"{family}-{number}",
                    "generator": str(exercise.kind or "no error"),
                    "problem": exercise.problem,
                    "steps": exercise.steps,
                    "label": exercise.first_error,
                    "final_answer_correct": exercise.first_error < 0,
                }
                file.write(json.dumps(row, ensure_ascii=False) + "\n")


main(int(sys.argv[1]), Path(sys.argv[2]))
