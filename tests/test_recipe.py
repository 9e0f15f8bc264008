"""Recipes: the shipped ones load, and a slip is one line that names the field and the fix."""

from pathlib import Path

import pytest

from genprm.cli.recipes import Recipe, read_curation, read_training
from genprm.curate.recipe import Agreement, Estimator, Rule
from genprm.errors import InputError
from genprm.recipe import check_recipe, read_recipe

RECIPES = sorted((Path(__file__).parents[1] / "recipes").glob("*.toml"))

MINIMAL = {
    "name": "n",
    "problems": "p.jsonl",
    "solutions": {"model": "m"},
    "rollouts": {"model": "m"},
    "rationales": {"teacher": "t"},
}


@pytest.mark.parametrize("file", RECIPES, ids=lambda file: file.stem)
def test_shipped_recipes_load(file: Path) -> None:
    curation, training = read_curation(file), read_training(file)
    assert curation.progress.rule is Rule.RATIO
    assert curation.progress.epsilon == 0.8
    assert curation.consensus.agreement is Agreement.FIRST
    assert training.chats.endswith("genprm/train.parquet")


@pytest.mark.parametrize("size", ["1.5b", "7b", "32b"])
def test_the_papers_settings(size: str) -> None:
    file = next(file for file in RECIPES if file.stem == f"genprm-{size}")
    curation, training = read_curation(file), read_training(file)
    assert (training.batch, training.learning_rate) == (64, 2e-6)
    assert training.base == f"deepseek-ai/DeepSeek-R1-Distill-Qwen-{size.upper()}"
    assert curation.solutions.model.endswith("#Qwen/Qwen2.5-7B-Instruct")
    assert curation.rollouts.model.endswith("#Qwen/Qwen2.5-Math-7B-Instruct")
    assert curation.rationales.teacher.endswith("#Qwen/QwQ-32B")
    assert [band.completions for band in curation.rollouts.bands] == [128, 64, 32]
    assert curation.rollouts.estimator is Estimator.EXHAUSTIVE
    assert curation.solutions.max_samples == 2048


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"progres": {}}, r"field curate\.progres: unknown; fix: did you mean progress\?"),
        (
            {"progress": {"epsilom": 1}},
            r"field curate\.progress\.epsilom: unknown; fix: did you mean epsilon\?",
        ),
        ({"zebra": 1}, r"field curate\.zebra: unknown; fix: remove it"),
        ({"name": None}, r"field curate\.name: Input should be a valid string, not None"),
        ({"solutions": {}}, r"field curate\.solutions\.model: missing; fix: add it"),
        (
            {"solutions": {"model": "m", "max_samples": "many"}},
            r"field curate\.solutions\.max_samples: .*valid integer, not 'many'",
        ),
        (
            {"rollouts": {"model": "m", "bands": [{"below": 0.5, "completions": 4}]}},
            r"field bands: `below` must rise from band to band and end at 1.0",
        ),
        (
            {"rollouts": {"model": "m", "estimator": "binary"}},
            r"field progress\.rule: a binary search",
        ),
        ({"chats": {"modes": ["genprm", "genprm"]}}, "name each mode once"),
    ],
)
def test_a_slip_is_one_line(changes: dict[str, object], fault: str) -> None:
    with pytest.raises(InputError, match=fault) as raised:
        check_recipe({"curate": {**MINIMAL, **changes}}, Recipe, origin="r.toml")
    assert "\n" not in str(raised.value)
    assert str(raised.value).startswith("r.toml: field")


def test_a_file_that_is_no_toml(tmp_path: Path) -> None:
    file = tmp_path / "r.toml"
    file.write_text("name = \n")
    with pytest.raises(InputError, match=r"r\.toml: this is not TOML .*line 1"):
        read_recipe(file, Recipe)


def test_a_missing_table_is_named(tmp_path: Path) -> None:
    file = tmp_path / "r.toml"
    file.write_text("")
    with pytest.raises(InputError, match=r"there is no table train; fix: add \[train\]"):
        read_training(file)
