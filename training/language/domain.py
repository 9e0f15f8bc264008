"""Which word pairs the shipped verifier's generators write: what its domain check reads.

python -m training.language.domain src/genprm/arithmetic/weights/verifier/domain.txt
"""

import sys
from itertools import islice
from pathlib import Path

from genprm.arithmetic.problems import Split, exercises
from genprm.verify.domain import word_pairs

SEED = 7
EXERCISES = 12_000


def main(path: Path) -> None:
    """Draw training exercises and write their pairs."""
    pairs = {
        pair
        for exercise in islice(exercises(SEED, Split.TRAIN), EXERCISES)
        for text in (exercise.problem, *exercise.steps)
        for pair in word_pairs(text)
    }
    path.write_text("".join(f"{one}\t{other}\n" for one, other in sorted(pairs)))
    print(f"{path}: {len(pairs)} pairs")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
