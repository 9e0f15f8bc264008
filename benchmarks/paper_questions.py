"""The paper's questions about training data, at the built-in domain's size (Tables 3 to 5, 7, 8).

    python benchmarks/paper_questions.py --base FOLDER [--problems 200] [--out build/questions]

One curation is made in full; every other one takes over what would be the same and differs in
rollouts, labels, filter or mode. Each is trained from the same base and judged on held-out
generated solutions and on the real rows of BIG-Bench-Mistake. Everything runs through the public
commands, and each goes on where it was killed: start the script again.

`--base` is a model of the built-in domain, such as build/stable/model of `make train-arithmetic`,
and `--small` a smaller one for the question of size (Table 7). With `--only NAME` one experiment
runs. `--majority` judges again what the labels made, with eight votes on a step (Table 4); a step's
votes stop once they are decided, which changes no label. benchmarks/paper_answers.py tells what
came out.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from genprm.arithmetic.problems import Split, exercises
from genprm.cli.recipes import Recipe
from genprm.curate.recipe import DYNAMIC_K
from genprm.evaluate.run import SUMMARY
from genprm.recipe import read_recipe

RECIPE = Path("recipes/arithmetic.toml")
HELD_OUT = "held_out.jsonl"
VOTES = 8
RESULT = "result.json"
Changes = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Experiment:
    """One trained model: what is different about its data, and how it judges."""

    question: str
    curate: Changes = field(default_factory=dict)
    after: str = "ratio-0.8"  # whose curation it takes over
    mode: str = "genprm"
    share: float = 1.0
    small: bool = False
    learns: bool = True
    seeds: int = 1


def label(rule: str, epsilon: float = 0.8, *, seeds: int = 1) -> Experiment:
    """A way of labelling steps (Table 3)."""
    return Experiment("labels", {"progress": {"rule": rule, "epsilon": epsilon}}, seeds=seeds)


def with_paper_k(
    rule: str, epsilon: float = 0.8, *, after: str = "ratio-0.8-K", seeds: int = 1
) -> Experiment:
    """The same over as many completions as the paper's (eq. 9), eight times the recipe's."""
    bands = [band.model_dump() for band in DYNAMIC_K]
    changes: Changes = {
        "rollouts": {"bands": bands},
        "progress": {"rule": rule, "epsilon": epsilon},
    }
    return Experiment("labels", changes, after, seeds=seeds)


EXPERIMENTS = {
    "base": Experiment("base", learns=False),
    "ratio-0.8": label("ratio", 0.8, seeds=3),
    "hard": label("hard", seeds=3),
    "ratio-0.5": label("ratio", 0.5),  # at these K, 0.1 labels as hard does
    "ratio-1.0": label("ratio", 1.0),
    "difference-0.3": label("difference", -0.3),
    "ratio-0.8-K": with_paper_k("ratio", after="ratio-0.8", seeds=3),
    "ratio-0.5-K": with_paper_k("ratio", 0.5),
    "hard-K": with_paper_k("hard", seeds=3),
    "direct": Experiment("components", mode="direct", seeds=3),
    "cot": Experiment("components", mode="cot"),
    "code": Experiment("components", mode="code"),
    "no-exec": Experiment("components", mode="no-exec"),
    "no-consensus": Experiment("consensus", {"consensus": {"agreement": "off"}}, seeds=3),
    "data-0.25": Experiment("data", share=0.25),
    "data-0.5": Experiment("data", share=0.5),
    "small-base": Experiment("size", small=True, learns=False),
    "small": Experiment("size", small=True),
}


def main() -> None:
    """Run what is missing."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--base", required=True)
    parser.add_argument("--small")
    parser.add_argument("--problems", type=int, default=200)
    parser.add_argument("--held-out", type=int, default=200)
    parser.add_argument("--real", type=Path, default=Path("../shared/data/bigbench_mistake"))
    parser.add_argument("--majority", action="store_true")
    parser.add_argument("--epochs", type=float, default=1)
    parser.add_argument("--out", type=Path, default=Path("build/questions"))
    parser.add_argument("--only", choices=EXPERIMENTS, action="append")
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    write_held_out(asked.out / HELD_OUT, asked.held_out)
    for seed in range(max(experiment.seeds for experiment in EXPERIMENTS.values())):
        for name, experiment in EXPERIMENTS.items():
            wanted = not asked.only or name in asked.only
            if wanted and seed < experiment.seeds and (asked.small or not experiment.small):
                Run(name, experiment, seed, asked).finish()


@dataclass(frozen=True, slots=True)
class Run:
    """One experiment with one seed: curated, trained, exported and judged, each where missing."""

    name: str
    experiment: Experiment
    seed: int
    asked: argparse.Namespace

    @property
    def folder(self) -> Path:
        """All that is this run's own."""
        return Path(self.asked.out, f"{self.name}-s{self.seed}")

    @property
    def data(self) -> Path:
        """The curation this run learns from."""
        return self.curation(self.name if self.experiment.curate else self.experiment.after)

    def curation(self, name: str) -> Path:
        """An experiment's curation."""
        return Path(self.asked.out, "data", name)

    @property
    def base(self) -> Path:
        """What training begins with."""
        return Path(self.asked.small if self.experiment.small else self.asked.base)

    @property
    def model(self) -> Path:
        """What is judged."""
        return self.folder / "train" / "model" if self.experiment.learns else self.base

    def finish(self) -> None:
        """Do what is missing, and keep its figures."""
        if not (self.folder / RESULT).exists():
            if self.experiment.learns:
                self.train()
            self.judge(1)
            self.describe()
        if self.asked.majority and self.experiment.question == "labels":
            self.judge(VOTES, "--adaptive", "exact")

    def train(self) -> None:
        """Curate and train by the shipped recipe with this experiment's changes."""
        recipe = self.write_recipe()
        before = self.curation(self.experiment.after)
        taken = ["--from", before] if before != self.data else []
        genprm("curate", recipe, "--out", self.data, *taken)
        genprm("train", recipe)

    def judge(self, votes: int, *words: object) -> None:
        """Judge the held-out and the real rows."""
        how = ["--model", self.model, "--mode", self.experiment.mode, "--seed", self.seed]
        how += ["--votes", votes, "--stop-at-first-error", "--max-tokens", 600, *words]
        for name, rows in {"held_out": self.asked.out / HELD_OUT, "real": self.asked.real}.items():
            out = judged_folder(self.folder, name, votes)
            if rows.exists() and not (out / SUMMARY).exists():
                genprm("evaluate", "processbench", rows, *how, "--output", out)

    def describe(self) -> None:
        """Say what the run learned from, which marks it as done."""
        chats = count_chats(self.data, self.experiment.mode) if self.experiment.learns else 0
        result = {
            "name": self.name,
            "seed": self.seed,
            "question": self.experiment.question,
            "chats": round(self.experiment.share * chats),
        }
        (self.folder / RESULT).write_text(json.dumps(result, indent=1) + "\n")

    def write_recipe(self) -> Path:
        """The shipped recipe with this experiment's changes."""
        content = read_recipe(RECIPE, Recipe).model_dump(mode="json", exclude_none=True)
        content["curate"]["problems"] = f"arithmetic:{self.asked.problems}"
        for table, changes in self.experiment.curate.items():
            content["curate"][table] |= changes
        content["train"] |= {
            "base": str(self.base),
            "chats": str(self.data / "dataset" / self.experiment.mode / "train.parquet"),
            "output": str(self.folder / "train"),
            "share": self.experiment.share,
            "epochs": self.asked.epochs,
            "learning_rate": 3e-4,
            "batch": 16,  # two hundred problems would make few updates otherwise
            "seed": self.seed,
        }
        self.folder.mkdir(parents=True, exist_ok=True)
        file = self.folder / "recipe.toml"
        file.write_text("".join(f"{line}\n" for line in toml(content)))
        return file


def judged_folder(run: Path, rows: str, votes: int) -> Path:
    """Where a run's judgements of some rows lie."""
    return run / f"{rows}-maj{votes}"


def toml(content: Mapping[str, Any], path: str = "") -> Iterator[str]:
    """Tables of plain values, and lists of small tables, as TOML."""
    tables = {key: value for key, value in content.items() if isinstance(value, dict)}
    if path:
        yield f"[{path}]"
    yield from (f"{key} = {spelt(value)}" for key, value in content.items() if key not in tables)
    for key, table in tables.items():
        yield from toml(table, f"{path}.{key}".lstrip("."))


def spelt(value: Any) -> str:
    """A TOML value."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {spelt(own)}" for key, own in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(spelt, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def genprm(*words: object) -> None:
    """One of our commands."""
    subprocess.run([sys.executable, "-m", "genprm", *map(str, words)], check=True)


def count_chats(data: Path, mode: str) -> int:
    """How many chats of this mode the curation made."""
    return sum(json.loads(line)["mode"] == mode for line in (data / "chats.jsonl").open())


def write_held_out(file: Path, count: int) -> None:
    """Labelled solutions of problems that no training stream holds."""
    if file.exists():
        return
    rows = (
        {
            "id": f"held-out-{index}",
            "problem": drawn.problem,
            "steps": [f"Step {number}: {step}" for number, step in enumerate(drawn.steps, 1)],
            "label": drawn.first_error,
        }
        for index, drawn in enumerate(islice(exercises(20250405, Split.HELD_OUT), count))
    )
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))


if __name__ == "__main__":
    main()
