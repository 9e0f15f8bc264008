"""GRPO on the built-in policy under three rewards: does flaw-aware leave fewer flawed answers?

    nice -n 19 taskset -c 1 python benchmarks/grpo_rewards.py --steps 40 --seeds 3

A flawed answer is a correct final answer in spite of a wrong step; the generator of the problems
knows both. The rewards: `answer`, 1 for a correct final answer; `flaw-aware`, the same less a half
where the verifier finds a wrong step; `outcome`, 1 where it finds none, without the answer. Runs
are those of examples/grpo_arithmetic.py; one that has its result.json is not made again. Printed
are means over the seeds and their range: of the last ten steps on the problems that are learned,
and of 48 problems held out.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean

EXAMPLE = Path(__file__).parents[1] / "examples" / "grpo_arithmetic.py"
REWARDS = ("answer", "flaw-aware", "outcome")
_LAST = 10  # steps


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--rewards", nargs="+", choices=REWARDS, default=REWARDS)
    parser.add_argument("--out", type=Path, default=Path("build/grpo-rewards"))
    asked, rest = parser.parse_known_args()  # the rest goes to the example
    found: dict[str, list[Mapping[str, float]]] = {name: [] for name in asked.rewards}
    for seed in range(asked.seeds):
        for name in asked.rewards:
            folder = asked.out / f"{name}-{seed}"
            if not (folder / "result.json").exists():
                run(name, seed, asked.steps, folder, rest)
            found[name].append(measured(json.loads((folder / "result.json").read_text())))
    table(found)


def run(reward: str, seed: int, steps: int, folder: Path, rest: Sequence[str]) -> None:
    """One training, in a process of its own."""
    print(f"{reward}, seed {seed}", flush=True)
    command = [sys.executable, str(EXAMPLE), "--reward", reward, "--seed", str(seed)]
    command += ["--steps", str(steps), "--out", str(folder), *rest]
    subprocess.run(command, check=True)


def measured(result: Mapping[str, list[Mapping[str, float]]]) -> dict[str, float]:
    """Accuracy, and the share of flawed ones among correct answers."""
    steps = [row for row in result["history"] if "rewards/accuracy/mean" in row][-_LAST:]
    accuracy = fmean(row["rewards/accuracy/mean"] for row in steps)
    flawed = fmean(row["rewards/flawed/mean"] for row in steps)
    before, after = result["held_out"]
    held_out, known = after["true accuracy"], after["correct in spite of a wrong step"]
    return {
        "learned: accuracy": accuracy,
        "learned: flawed of the correct": flawed / accuracy if accuracy else 0.0,
        "held out: accuracy before": before["true accuracy"],
        "held out: accuracy": held_out,
        "held out: flawed of the correct": known / held_out if held_out else 0.0,
    }


def table(found: Mapping[str, Sequence[Mapping[str, float]]]) -> None:
    """Means over the seeds, with the range."""
    names = list(next(iter(found.values()))[0])
    print(f"{'':34}" + "".join(f"{reward:>24}" for reward in found))
    for name in names:
        cells = ([row[name] for row in rows] for rows in found.values())
        shown = (f"{fmean(cell):.3f} ({min(cell):.3f}-{max(cell):.3f})" for cell in cells)
        print(f"{name:34}" + "".join(f"{cell:>24}" for cell in shown))


if __name__ == "__main__":
    main()
