"""One self-contained HTML page: no script, no request, light and dark, wide and narrow."""

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from genprm.records.run_spec import RunSpec
from genprm.report.report import Report
from genprm.report.tables import number


def render(report: Report) -> str:
    """The page as text."""
    environment = Environment(
        loader=PackageLoader("genprm.report"),
        autoescape=select_autoescape(default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"number": number, "svg": lambda chart: Markup(chart.svg())}
    page: str = environment.get_template("report.html").render(
        report=report,
        runs=[(run.name, _described(run.spec), len(run.rows)) for run in report.runs],
    )
    return page


def _described(spec: RunSpec) -> str:
    """A run's judge in a line."""
    judge = spec.judge
    if judge is None:
        return spec.command
    words = [judge.judge, judge.model.name if judge.model else ""]
    if "votes" in judge.settings and "mode" in judge.settings:
        words += [f"mode {judge.settings['mode']}", f"{judge.settings['votes']} votes"]
    return ", ".join(word for word in words if word)
