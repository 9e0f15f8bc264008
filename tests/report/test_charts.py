"""Which charts a report draws."""

from genprm.records.summaries import Majority, RunCost, Summary
from genprm.report.charts import run_charts


def cost(tokens_out: float, seconds: float) -> RunCost:
    return RunCost(
        solutions=1,
        tokens_in=0,
        tokens_out=tokens_out,
        tokens_cached=0,
        executions=0,
        seconds=seconds,
    )


def summary(f1: float, spent: RunCost, **majority: float) -> Summary:
    votes = {
        k.lstrip("k"): Majority(subsets={}, average_f1=one, average_f1_interval=None)
        for k, one in majority.items()
    }
    return Summary(
        subsets={},
        average_f1=f1,
        average_f1_interval=None,
        rows=1,
        abstained=0,
        cost=spent,
        majority=votes,
    )


def test_votes_on_steps_and_reviews_of_whole_solutions_stand_on_one_chart() -> None:
    steps = summary(80.0, cost(tokens_out=800, seconds=8.0), k1=70.0, k4=78.0, k8=80.0)
    whole = summary(75.0, cost(tokens_out=200, seconds=1.0))
    charts = {chart.title: chart for chart in run_charts({"steps": steps, "whole": whole})}
    tokens = charts["Average F1 over generated tokens"]
    assert [(one.name, list(one.x), list(one.y)) for one in tokens.series] == [
        ("steps", [100, 400, 800], [70.0, 78.0, 80.0]),
        ("whole", [200], [75.0]),
    ]
    assert [list(one.x) for one in charts["Average F1 over seconds"].series] == [[1, 4, 8], [1]]


def test_one_point_is_no_chart() -> None:
    alone = summary(75.0, cost(tokens_out=200, seconds=1.0))
    assert not any(chart.title.startswith("Average F1") for chart in run_charts({"one": alone}))
