"""The paper's questions about training data, at the built-in domain's size (Tables 3 to 5, 7, 8).

    python benchmarks/paper_questions.py --base FOLDER [--problems 200] [--out build/questions]

One curation is made in full; every other one takes over its solutions, rollouts and rationales and
differs in labels, filter or mode. Each is trained from the same base and judged on held-out
generated solutions and on the real rows of BIG-Bench-Mistake. Everything runs through the public
commands, and each goes on where it was killed: start the script again.

`--base` is a Hugging Face folder, such as build/trunk/model of `make train-arithmetic`, and
`--small` a smaller one for the question of size (Table 7). With `--only NAME` one experiment runs.
"""

import argparse
import json
import random
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from statistics import fmean
from typing import Any

from genprm.arithmetic.critic import critique
from genprm.arithmetic.openvino_export import add_openvino
from genprm.arithmetic.problems import Split, easy_exercise, exercises
from genprm.cli.recipes import Recipe
from genprm.curate.progress import first_error
from genprm.recipe import read_recipe

RECIPE = Path("recipes/arithmetic.toml")
TITLES = {"held_out": "held-out problems", "real": "BIG-Bench-Mistake"}
Changes = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Experiment:
    """One trained model: what is different about its data, and how it judges."""

    question: str
    curate: Changes = field(default_factory=dict)
    mode: str = "genprm"
    share: float = 1.0
    small: bool = False
    seeds: int = 1


def label(rule: str, epsilon: float = 0.8, *, seeds: int = 1) -> Experiment:
    """A way of labelling steps (Table 3)."""
    return Experiment("labels", {"progress": {"rule": rule, "epsilon": epsilon}}, seeds=seeds)


EXPERIMENTS = {
    "ratio-0.8": label("ratio", 0.8, seeds=3),
    "hard": label("hard", seeds=3),
    **{f"ratio-{epsilon}": label("ratio", epsilon) for epsilon in (0.1, 0.5, 1.0)},
    **{f"difference-{abs(e)}": label("difference", e) for e in (-0.1, -0.3, -0.5)},
    "direct": Experiment("components", mode="direct", seeds=3),
    "cot": Experiment("components", mode="cot"),
    "code": Experiment("components", mode="code"),
    "no-exec": Experiment("components", mode="no-exec"),
    "no-consensus": Experiment("consensus", {"consensus": {"agreement": "off"}}, seeds=3),
    "data-0.25": Experiment("data", share=0.25),
    "data-0.5": Experiment("data", share=0.5),
    "small": Experiment("size", small=True),
}


def main() -> None:
    """Run what is missing, then print what is known."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--base", required=True)
    parser.add_argument("--small")
    parser.add_argument("--problems", type=int, default=200)
    parser.add_argument("--held-out", type=int, default=200)
    parser.add_argument("--real", type=Path, default=Path("../shared/data/bigbench_mistake"))
    parser.add_argument("--votes", type=int, default=1)
    parser.add_argument("--epochs", type=float, default=1)
    parser.add_argument("--out", type=Path, default=Path("build/questions"))
    parser.add_argument("--only", choices=EXPERIMENTS, action="append")
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    write_held_out(asked.out / "held_out.jsonl", asked.held_out)
    for seed in range(max(experiment.seeds for experiment in EXPERIMENTS.values())):
        for name, experiment in EXPERIMENTS.items():
            wanted = not asked.only or name in asked.only
            if wanted and seed < experiment.seeds and (asked.small or not experiment.small):
                run(name, experiment, seed, asked)
    found = results(asked.out)
    print_table(found)
    draw(found, asked.out / "questions.svg")


def run(name: str, experiment: Experiment, seed: int, asked: argparse.Namespace) -> None:
    """Curate, train, export and judge one experiment."""
    folder = asked.out / f"{name}-s{seed}"
    if (folder / "result.json").exists():
        return
    data = asked.out / "data" / (name if experiment.curate else "ratio-0.8")
    recipe = write_recipe(folder, experiment, seed, data, asked)
    source = asked.out / "data" / "ratio-0.8"
    genprm("curate", recipe, "--out", data, *(["--from", source] if data != source else []))
    genprm("train", recipe)
    model = folder / "train" / "model"
    if not (model / "openvino_model.xml").exists():
        add_openvino(model)
    sets = {"held_out": asked.out / "held_out.jsonl", "real": asked.real}
    scores = {
        subset: judge(file, model, folder / subset, experiment.mode, seed, asked.votes)
        for subset, file in sets.items()
        if file.exists()
    }
    result = {
        "name": name,
        "seed": seed,
        "question": experiment.question,
        "scores": scores,
        "labels": label_accuracy(data),
        "chats": round(experiment.share * count_chats(data, experiment.mode)),
    }
    (folder / "result.json").write_text(json.dumps(result, indent=1) + "\n")


def write_recipe(
    folder: Path, experiment: Experiment, seed: int, data: Path, asked: argparse.Namespace
) -> Path:
    """The shipped recipe with this experiment's changes."""
    content = read_recipe(RECIPE, Recipe).model_dump(mode="json", exclude_none=True)
    content["curate"]["problems"] = f"arithmetic:{asked.problems}"
    for table, changes in experiment.curate.items():
        content["curate"][table] |= changes
    content["train"] |= {
        "base": asked.small if experiment.small else asked.base,
        "chats": str(data / "dataset" / experiment.mode / "train.parquet"),
        "output": str(folder / "train"),
        "share": experiment.share,
        "epochs": asked.epochs,
        "learning_rate": 3e-4,
        "batch": 16,  # two hundred problems would make few updates otherwise
        "seed": seed,
    }
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "recipe.toml"
    file.write_text("".join(f"{line}\n" for line in toml(content)))
    return file


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


def judge(
    data: Path, model: Path, out: Path, mode: str, seed: int, votes: int
) -> dict[str, float | None]:
    """First-error F1 of single votes and of their majority."""
    words = ["--model", model, "--votes", votes, "--mode", mode, "--seed", seed, "--output", out]
    short = ["--stop-at-first-error", "--max-tokens", 600]
    genprm("evaluate", "processbench", data, *words, *short)
    summary = json.loads((out / "summary.json").read_text())
    return {
        "pass_at_1": summary["pass_at_1"]["average_f1"],
        f"maj_at_{votes}": summary["average_f1"],
        "interval": summary["average_f1_interval"],
    }


def label_accuracy(data: Path) -> dict[str, float]:
    """How often the labels' first error is the true one, which the scripted teacher knows."""
    hits: list[bool] = []
    for line in (data / "progress.jsonl").open():
        row = json.loads(line)
        stream, _, index = row["problem"].partition("-")
        right = easy_exercise(int(stream), int(index), Split.TRAIN)
        known = critique(right, row["steps"], random.Random(0))
        if known is not None:
            truth = first_error([rationale.correct for rationale in known])
            hits.append(truth == row["first_error"])
    return {"first_error": 100 * sum(hits) / max(len(hits), 1), "solutions": len(hits)}


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


def print_table(found: Sequence[Mapping[str, Any]]) -> None:
    """A Markdown row for each experiment: F1 of single votes, seed by seed, then their mean."""
    print("| question | experiment | chats | held out | mean | real | mean |")
    print("|---|---|---|---|---|---|---|")
    for name in dict.fromkeys(one["name"] for one in found):
        runs = [one for one in found if one["name"] == name]
        cells = [runs[0]["question"], name, str(runs[0]["chats"])]
        for rows in TITLES:
            values = [one["scores"][rows]["pass_at_1"] for one in runs if rows in one["scores"]]
            cells += [" ".join(f"{v:.1f}" for v in values), f"{fmean(values):.1f}"]
        print("| " + " | ".join(cells) + " |")


def draw(found: Sequence[Mapping[str, Any]], path: Path) -> None:
    """F1 of every run with its interval, one panel for each set of rows."""
    from matplotlib.figure import Figure

    names = list(dict.fromkeys(one["name"] for one in found))
    figure = Figure(figsize=(8, 0.6 + 0.3 * len(names)), layout="constrained")
    panels = figure.subplots(1, 2, sharey=True)
    for panel, (rows, title) in zip(panels, TITLES.items(), strict=True):
        for one in (one for one in found if rows in one["scores"]):
            scores = one["scores"][rows]
            middle = scores["pass_at_1"]
            around = [[middle - scores["interval"][0]], [scores["interval"][1] - middle]]
            place = names.index(one["name"]) + 0.2 * (one["seed"] - 1)
            panel.errorbar(middle, place, xerr=around, fmt="o", color=f"C{one['seed']}", ms=4)
        panel.set_xlabel(f"first-error F1, {title}")
        panel.grid(axis="x", alpha=0.3)
    panels[0].set_yticks(range(len(names)), names)
    panels[0].invert_yaxis()
    figure.savefig(path)
    print(f"→ {path}")


def results(out: Path) -> list[dict[str, Any]]:
    """All results so far, in the experiments' order."""
    order = list(EXPERIMENTS)
    found = [json.loads(file.read_text()) for file in out.glob("*/result.json")]
    return sorted(found, key=lambda one: (order.index(one["name"]), one["seed"]))


if __name__ == "__main__":
    main()
