"""Test-time scaling on the built-in domain, three seeds: every figure of docs/results.md about it.

    python benchmarks/scaling.py [--problems 24] [--seeds 3] [--samples 32] [--out build/scaling]

Runs the public commands, each of which goes on where it was killed: sample, rank, refine, search
on held-out problems, verify on held-out labelled solutions. Every method starts from the same
samples of the same policy. Then the tables: Best-of-N against majority and Pass@N, refine against
self-refinement, search against Best-of-N at equal tokens, tokens saved by adaptive voting.
"""

import argparse
import json
import random
import subprocess
import sys
from collections.abc import Sequence
from importlib import resources
from itertools import islice
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

from tokenizers import Tokenizer

from genprm.arithmetic.exercise import Exercise
from genprm.arithmetic.expressions import Unwieldy
from genprm.arithmetic.nested import draw_nested, solve_nested
from genprm.arithmetic.problems import Split, easy_exercise, exercises, split_of
from genprm.arithmetic.stories import draw_story, solve_story
from genprm.problem import split_steps

Row = dict[str, Any]
TOKENIZER = "arithmetic/weights/verifier/tokenizer.json"
T_95 = {2: 12.71, 3: 4.30, 4: 3.18, 5: 2.78}  # Student's t by number of seeds

REFINE = {
    "refine-best": ["--turns", "3"],
    "refine-latest": ["--turns", "3", "--keep", "latest"],
    "refine-self": ["--turns", "3", "--critic", "self"],
}
SEARCH = {
    "search-beam-2x2": ["--strategy", "beam", "--beams", "2", "--branch", "2"],
    "search-beam-4x4": ["--strategy", "beam", "--beams", "4", "--branch", "4"],
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--problems", type=int, default=24)
    parser.add_argument("--solutions", type=int, default=100, help="labelled, for adaptive voting")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--samples", type=int, default=32)
    parser.add_argument("--votes", type=int, default=8)
    parser.add_argument("--out", type=Path, default=Path("build/scaling"))
    parser.add_argument(
        "--generated",
        action="store_true",
        help="pools of the generator's right and wrong solutions in place of the policy's; "
        "no refine, no search",
    )
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    problems = write_problems(asked.out / "problems.jsonl", asked.problems)
    labelled = write_labelled(asked.out / "labelled.jsonl", asked.solutions)
    verifications(labelled, asked.out, asked.votes)
    folders = [asked.out / f"seed-{seed}" for seed in range(asked.seeds)]
    for seed, folder in enumerate(folders):
        folder.mkdir(exist_ok=True)
        if asked.generated:
            pools = generated(folder / "generated.jsonl", seed, asked.problems, asked.samples)
        else:
            pools = sample(problems, folder / "samples.jsonl", seed, asked.samples)
        rank(pools, folder, seed, asked.samples, asked.votes)
    if not asked.generated:
        for seed, folder in enumerate(folders):
            refine_and_search(problems, folder, seed)
    report(asked.out, asked.seeds)


def write_problems(path: Path, count: int) -> Path:
    """Held-out problems; the stream's right answers are the gold answers."""
    drawn = [easy_exercise(77, index, Split.HELD_OUT) for index in range(count)]
    rows = [
        {"id": f"p{index}", "problem": one.problem, "answer": one.answer}
        for index, one in enumerate(drawn)
    ]
    return write(path, rows)


def write_labelled(path: Path, count: int) -> Path:
    """Held-out solutions, half of them wrong, with the index of the first error."""
    rows = [
        {"problem": one.problem, "steps": one.steps, "label": one.first_error}
        for one in islice(exercises(78, Split.HELD_OUT), count)
    ]
    return write(path, rows)


def write(path: Path, rows: Sequence[Row]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def verifications(labelled: Path, out: Path, votes: int) -> None:
    """All votes and a cheap judge on the same solutions; then both adaptive rules for real."""
    for name, words in {
        "verify-full": ["--votes", str(votes)],
        "verify-code": ["--mode", "code"],
        "verify-exact": ["--votes", str(votes), "--adaptive", "exact"],
        "verify-confident": ["--votes", str(votes), "--adaptive", "confident"],
    }.items():
        genprm("verify", str(labelled), *words, "-o", str(out / f"{name}.jsonl"))


def generated(path: Path, seed: int, problems: int, samples: int) -> Path:
    """Pools of the generator: each problem has its own share of right solutions, up to 30 %."""
    tokenizer = Tokenizer.from_file(str(resources.files("genprm") / TOKENIZER))
    rows = []
    for index in range(problems):
        rng = random.Random(f"pool {seed} {index}")
        share = rng.uniform(0.03, 0.3)
        pool = drawn_pool(rng, [rng.random() >= share for _ in range(samples)])
        texts = ["\n\n".join(f"Step {n}: {s}" for n, s in enumerate(e.steps, 1)) for e in pool]
        made = [
            {
                "steps": split_steps(text),
                "usage": {"tokens_out": len(tokenizer.encode(text).ids) + 1},
            }
            for text in texts
        ]
        named = {"id": f"g{seed}-{index}", "problem": pool[0].problem, "answer": pool[0].answer}
        rows.append({**named, "samples": made})
    return write(path, rows)


def drawn_pool(rng: random.Random, wrong: Sequence[bool]) -> list[Exercise]:
    """Solutions of one held-out problem, right and wrong as asked."""
    while True:
        try:
            story = rng.random() < 0.5
            problem: Any = draw_story(rng) if story else draw_nested(rng)
            solve: Any = solve_story if story else solve_nested
            tried = [
                next((one for _ in range(20) if (one := solve(problem, rng, wrong=each))), None)
                for each in wrong
            ]
        except Unwieldy:
            continue
        found = [one for one in tried if one is not None]
        if len(found) == len(tried) and split_of(found[0].problem) is Split.HELD_OUT:
            return found


def rank(pools: Path, out: Path, seed: int, samples: int, votes: int) -> None:
    words = ["-k", str(samples), "--votes", str(votes), "--seed", str(seed)]
    genprm("rank", "--samples", str(pools), *words, "-o", str(out / "rank.jsonl"))


def sample(problems: Path, pools: Path, seed: int, samples: int) -> Path:
    genprm("sample", str(problems), "-k", str(samples), "--seed", str(seed), "-o", str(pools))
    return pools


def refine_and_search(problems: Path, out: Path, seed: int) -> None:
    seeded = ["--seed", str(seed)]
    for name, words in REFINE.items():
        stored = ["--samples", str(out / "samples.jsonl")]
        genprm("refine", *stored, *words, *seeded, "-o", str(out / f"{name}.jsonl"))
    for name, words in SEARCH.items():
        genprm("search", str(problems), *words, *seeded, "-o", str(out / f"{name}.jsonl"))


def genprm(*words: str) -> str:
    print("genprm", *words, file=sys.stderr)
    done = subprocess.run(
        [sys.executable, "-m", "genprm", *words], check=True, stdout=subprocess.PIPE, text=True
    )
    return done.stdout


def report(out: Path, seeds: int) -> None:
    """Print the tables as Markdown, and write the figure of seed 0."""
    found = []
    for seed in range(seeds):
        folder = out / f"seed-{seed}"
        made = [folder / f"{name}.jsonl" for name in ["rank", *REFINE, *SEARCH]]
        files = [str(path) for path in made if path.exists()]
        figure = ["--figure", str(out / "scaling.svg")] if seed == 0 else []
        found.append(json.loads(genprm("evaluate", "scaling", *files, *figure, "--json")))
    print_points(found)
    print_gap(found)
    print_winners(found)
    print("\n### Adaptive voting\n")
    print(genprm("evaluate", "adaptive", str(out / "verify-full.jsonl")))
    print(agreement(out))
    print("\n### Cascade: code without analysis first, one vote\n")
    cheap, strong = (str(out / f"verify-{name}.jsonl") for name in ("code", "full"))
    print(genprm("evaluate", "cascade", cheap, strong, "-o", str(out / "cascade.json")))


def print_points(found: Sequence[Row]) -> None:
    print("| method | setting | tokens a problem | accuracy %, mean of seeds | 95 % |")
    print("|---|---|---|---|---|")
    settings: dict[tuple[str, str], list[Row]] = {}
    for one in found:
        for point in one["points"]:
            settings.setdefault((point["method"], point["setting"]), []).append(point)
    for (method, setting), points in settings.items():
        tokens = fmean(point["tokens"] for point in points)
        mean, half = interval([point["accuracy"] for point in points])
        print(f"| {method} | {setting} | {tokens:,.0f} | {mean:.1f} | ± {half:.1f} |")


def print_gap(found: Sequence[Row]) -> None:
    """How much of the gap between majority and Pass@N the verifier closes."""
    shares = []
    for one in found:
        at = {(point["method"], point["setting"]): point["accuracy"] for point in one["points"]}
        last = [setting for method, setting in at if method == "majority"][-1]
        low, high = at["majority", last], at["Pass@N (bound)", last]
        best = at.get(("best-of-N, 8 votes", last))
        if best is not None and high > low:
            shares.append(100 * (best - low) / (high - low))
    if shares:
        mean, half = interval(shares)
        print(f"\nBest-of-N with 8 votes closes {mean:.0f} ± {half:.0f} % of the gap at {last}.")


def print_winners(found: Sequence[Row]) -> None:
    print("\n| tokens up to | best (seed 0) | accuracy % | lead over the next method, 95 % |")
    print("|---|---|---|---|")
    for win in found[0]["winners"]:
        best, lead = win["best"], win["lead"]
        by = f"{lead['low']:+.1f} to {lead['high']:+.1f}" if lead else ""
        name = f"| {win['budget']:,} | {best['method']}, {best['setting']} "
        print(f"{name}| {best['accuracy']:.1f} | {by} |")


def agreement(out: Path) -> str:
    """The rules as really run, against all votes as really run."""
    full = read(out / "verify-full.jsonl")
    lines = []
    for rule in ("exact", "confident"):
        early = read(out / f"verify-{rule}.jsonl")
        pairs = [
            (a["label"], b["label"])
            for some, whole in zip(early, full, strict=True)
            for a, b in zip(some["steps"], whole["steps"], strict=True)
        ]
        equal = 100 * sum(a == b for a, b in pairs) / len(pairs)
        saved, until_error = (
            100 * (1 - sum(map(tokens, early)) / sum(map(tokens, full)))
            for tokens in (all_tokens, tokens_until_error)
        )
        lines.append(
            f"Really run, {rule}: {equal:.2f} % of {len(pairs)} labels equal, {saved:.1f} % of the "
            f"tokens saved, {until_error:.1f} % of those up to the first wrong step."
        )
    return "\n".join(lines)


def all_tokens(row: Row) -> int:
    return sum(vote["usage"]["tokens_out"] for step in row["steps"] for vote in step["votes"])


def tokens_until_error(row: Row) -> int:
    """What `--stop-at-first-error` would have generated."""
    end = row["first_error"]
    judged = row["steps"] if end in (None, -1) else row["steps"][: end + 1]
    return all_tokens({"steps": judged})


def read(path: Path) -> list[Row]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def interval(values: Sequence[float]) -> tuple[float, float]:
    """Mean, and half the width of its 95 % interval over seeds."""
    if len(values) < 2:
        return fmean(values), float("nan")
    return fmean(values), T_95.get(len(values), 1.96) * stdev(values) / len(values) ** 0.5


if __name__ == "__main__":
    main()
