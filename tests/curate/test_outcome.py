"""What a finished curation is turned into: counts, plan, data set, card, report."""

import json
from html.parser import HTMLParser
from pathlib import Path

import pytest
from fake_curation import curate, recipe, sums

from genprm.curate.cost_plan import CostPlan, from_assumptions, from_pilot, pilot_problems
from genprm.curate.folder import Folder
from genprm.curate.publish import publish
from genprm.curate.recipe import Curation
from genprm.curate.report import histogram, write_report
from genprm.curate.stages import Stage
from genprm.curate.stats import CurationStats, count_stats
from genprm.errors import InputError
from genprm.records.curation import LabelledPathRow


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    folder = Folder(tmp_path_factory.mktemp("curation"))
    curate(folder.path)
    return folder


@pytest.fixture(scope="module")
def counted(done: Folder) -> CurationStats:
    return count_stats(done, recipe())


def test_the_funnel_adds_up(done: Folder, counted: CurationStats) -> None:
    assert counted.solutions
    assert counted.rollouts
    assert counted.labels
    assert counted.rationales
    assert counted.chats
    paths = sum(1 for _ in done.rows(Stage.PROGRESS, LabelledPathRow))
    assert counted.solutions.correct + counted.solutions.incorrect == paths
    assert sum(counted.labels.first_errors.values()) == paths
    assert counted.rationales.kept + counted.rationales.gone.total() == paths
    assert counted.chats["genprm"].chats == counted.rationales.kept
    assert counted.rollouts.completions < counted.rollouts.unpruned
    assert counted.rollouts.binary is not None
    assert counted.rollouts.binary < counted.rollouts.unpruned


def test_requests_are_those_that_were_made(tmp_path: Path) -> None:
    engines = curate(tmp_path)
    costs = count_stats(Folder(tmp_path), recipe()).costs
    assert engines.model.asked == sum(cost.requests for cost in costs.values())


def test_the_data_set_loads_as_trl_wants_it(done: Folder, counted: CurationStats) -> None:
    datasets = pytest.importorskip("datasets")
    target = publish(done, recipe(), counted)
    file = target / "genprm" / "train.parquet"
    rows = list(datasets.Dataset.from_parquet(str(file), cache_dir=str(done.path / "cache")))
    lines = [json.loads(line) for line in (target / "genprm" / "train.jsonl").open()]
    assert rows == lines
    assert rows[0]["messages"][0]["role"] == "system"
    assert {row["mode"] for row in rows} == {"genprm"}


def test_the_card_tells_counts_and_provenance(done: Folder, counted: CurationStats) -> None:
    card = (publish(done, recipe(), counted) / "README.md").read_text()
    assert counted.chats
    assert f"| genprm | {counted.chats['genprm'].chats} |" in card
    assert "data_files: direct/train.parquet" in card
    assert "| rationales | `sums` |" in card


class Balanced(HTMLParser):
    """Fails on a page whose tags do not close each other."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_report_sets_the_plan_beside_what_happened(
    done: Folder, counted: CurationStats
) -> None:
    forecast = from_pilot(counted, recipe(), 600)
    page = write_report(done, recipe(), counted, forecast).read_text()
    parser = Balanced()
    parser.feed(page)
    assert parser.open == []
    assert "planned from a pilot of 6 problems" in page
    for cause in counted.rationales.gone if counted.rationales else ():
        assert cause in page
    assert '<span class="sandbox">[Code Output]' in page
    assert "A binary search for the first zero" in page


def test_a_report_of_half_a_curation(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    page = write_report(folder, recipe(), count_stats(folder, recipe()), None).read_text()
    assert "Funnel" in page


def test_a_pilot_is_scaled(counted: CurationStats) -> None:
    forecast = from_pilot(counted, recipe(), 600)
    assert counted.solutions
    assert forecast.costs[Stage.SOLUTIONS].requests == 100 * counted.solutions.outcomes.total()
    assert forecast.paths == 100 * (counted.solutions.correct + counted.solutions.incorrect)


def test_a_forecast_is_stored(counted: CurationStats, tmp_path: Path) -> None:
    forecast = from_pilot(counted, recipe(), 60)
    forecast.store(tmp_path / "plan.json")
    assert CostPlan.load(tmp_path / "plan.json") == forecast
    assert CostPlan.load(tmp_path / "none.json") is None


ASSUMED = {
    "solved": 0.5,
    "kept_problems": 0.5,
    "samples": 10,
    "paths": 4,
    "steps": 5,
    "problem_tokens": 100,
    "step_tokens": 20,
    "critique_tokens": 1000,
    "sampled": 0.75,
    "agreed": 0.5,
    "tokens_per_second": {"solutions": 1000},
}


def assumed(**changes: object) -> Curation:
    return recipe(plan={**ASSUMED, **changes})


def test_assumptions_by_hand() -> None:
    forecast = from_assumptions(assumed(), 100)
    # 100 problems x 10 samples of 5 x 20 tokens
    assert forecast.costs[Stage.SOLUTIONS].tokens_out == 100_000
    assert forecast.gpu_hours[Stage.SOLUTIONS] == pytest.approx(100_000 / 1000 / 3600)
    # 50 problems x 4 paths x 4 prefixes x K = 4 (Pass@1 0.5 is not below 0.5), 3/4 of them sampled
    assert forecast.costs[Stage.ROLLOUTS].requests == 2400
    assert forecast.costs[Stage.ROLLOUTS].tokens_out == 2400 * 50
    # 200 paths x 2 critiques
    assert forecast.costs[Stage.RATIONALES].tokens_out == 400_000
    assert forecast.kept_paths == 100
    assert forecast.gpu_hours[Stage.RATIONALES] is None


def test_what_is_not_assumed_is_named() -> None:
    with pytest.raises(InputError, match="solved, steps missing; fix: add them, or --pilot N"):
        from_assumptions(assumed(solved=None, steps=None), 100)


def test_a_pilot_is_spread_over_the_problems() -> None:
    assert [p.id for p in pilot_problems(sums(6), 3)] == ["s0", "s2", "s4"]
    assert len(pilot_problems(sums(2), 30)) == 2


def test_the_outer_bars_hold_what_lies_beyond() -> None:
    counts = [bar.count for bar in histogram([-1, 0, 0.5, 1, 7], 0, 1, bins=2)]
    assert counts == [2, 3]
