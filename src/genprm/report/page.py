"""One self-contained HTML page: no script, no request, light and dark, wide and narrow."""

from collections.abc import Mapping
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

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
        runs=[(run.name, _described(run.configuration), len(run.rows)) for run in report.runs],
    )
    return page


def _described(configuration: Mapping[str, Any]) -> str:
    """A run's configuration in a line."""
    settings = configuration.get("settings", {})
    words = [configuration.get("judge", ""), configuration.get("model", "")]
    if settings:
        words += [f"mode {settings['mode']}", f"{settings['votes']} votes"]
    return ", ".join(str(word) for word in words if word)
