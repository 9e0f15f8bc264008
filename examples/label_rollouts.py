"""Label the steps of your own solutions by relative progress estimation (RPE, eq. 10 and 11).

    python examples/label_rollouts.py examples/rollouts.jsonl --epsilon 0.8

You need rollouts already: for each prefix of a solution, how many completions were `drawn` and how
many of them were `hits`, that is, reached the known answer. `solved` is [hits, drawn] for the bare
problem. No model is loaded. `genprm curate` does all of this, and the sampling, at scale.
"""

import argparse
import json
from fractions import Fraction
from pathlib import Path

from genprm.curate.progress import labels, progress
from genprm.curate.recipe import Progress, Rule
from genprm.curate.scores import Score


def main() -> None:
    """Print the score, the progress and the label of every step."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rollouts", type=Path)
    parser.add_argument("--epsilon", type=float, default=0.8)
    parser.add_argument("--rule", type=Rule, choices=list(Rule), default=Rule.RATIO)
    asked = parser.parse_args()
    settings = Progress(rule=asked.rule, epsilon=asked.epsilon)
    for line in asked.rollouts.read_text("utf-8").splitlines():
        row = json.loads(line)
        scores = [Score(hits, drawn) for hits, drawn in zip(row["hits"], row["drawn"], strict=True)]
        before = Fraction(*row["solved"])
        print(f"{row['problem']} (solved {float(before):.2f})")
        compared = progress(scores, before, settings.rule)
        for step, score, value, correct in zip(
            row["steps"], scores, compared, labels(scores, before, settings), strict=True
        ):
            told = "inf" if value is None else f"{float(value):.2f}"
            label = "correct" if correct else "incorrect"
            print(f"  MC {float(score.value):.2f}  P {told}  {label:9}  {step}")


if __name__ == "__main__":
    main()
