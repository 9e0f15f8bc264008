"""Verify one solution and show why a step is wrong.

    python examples/verify_one.py

Runs offline on a CPU with the shipped default judge. Name another model with `--model`.
"""

import argparse

import genprm

PROBLEM = "Mia has 12 pens. Tom has 5 more pens than Mia. How many pens do they have in total?"
STEPS = ["Tom has 12 + 5 = 17 pens.", "The total is 12 + 17 = 28. So the answer is 28."]


def main() -> None:
    """Judge the solution and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="default", help="as genprm verify --model")
    verdict = genprm.judge(PROBLEM, STEPS, model=parser.parse_args().model)
    for number, step in enumerate(verdict.steps, start=1):
        label = {True: "correct", False: "incorrect", None: "no label"}[step.label]
        print(f"step {number}: {label}")
    if verdict.first_error is None:
        print("the first error cannot be said: a step without a label stands in the way")
    elif verdict.first_error >= 0:
        vote = verdict.steps[verdict.first_error].votes[0]
        print(vote.analysis)
        for run in vote.runs:
            print(f"code:   {run.code}\noutput: {run.output}")


if __name__ == "__main__":
    main()
