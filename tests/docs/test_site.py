"""The site builds without warnings, loads nothing from elsewhere, and says what the code says."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from docs.tools import references, site
from docs.tools.numbers import faults
from genprm.cli.commands.explain import explanations
from genprm.cli.commands.schema import RowName, row_schema

SOURCE = Path("src/genprm")


def test_the_site_builds_and_loads_nothing_from_other_hosts() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "docs.tools.site"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert site.external_assets() == []
    listed = (site.SITE / "llms.txt").read_text()
    targets = re.findall(r"\]\(([^)]+)\)", listed)
    assert len(targets) > 25
    assert all((site.SITE / target).is_file() for target in targets)
    assert (site.SITE / "search.json").stat().st_size > 100_000


@pytest.mark.parametrize(
    "asset",
    [
        '<script src="https://cdn.example/x.js">',
        "<link rel=stylesheet href=//fonts.example/a.css>",
        "<style>@import url(https://fonts.example/a.css)</style>",
    ],
)
def test_an_asset_of_another_host_is_found(
    asset: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "page.html").write_text(f"<html>{asset}</html>")
    monkeypatch.setattr(site, "SITE", tmp_path)
    assert len(site.external_assets()) == 1


def test_the_generated_pages_are_fresh() -> None:
    assert references.stale() == [], "fix: python -m docs.tools.references"


def test_figures_in_pages_are_those_of_their_files() -> None:
    assert faults() == []


def test_every_explanation_is_named_by_a_message_and_every_named_one_exists() -> None:
    source = "".join(path.read_text("utf-8") for path in SOURCE.rglob("*.py"))
    named = set(re.findall(r"more: genprm explain ([\w-]+)", source))
    assert named == set(explanations())


def test_every_metric_is_explained() -> None:
    page = Path("docs/reference/metrics.md").read_text("utf-8")
    source = "".join(
        path.read_text("utf-8")
        for folder in ("rewards", "server")
        for path in (SOURCE / folder).rglob("*.py")
    )
    logged = set(re.findall(r'"(genprm/\w+)"', source))
    counted = set(re.findall(r'"(genprm_[a-z_]+)"', source)) - {"genprm_"}
    assert len(logged) >= 3
    assert len(counted) >= 8
    assert {name for name in logged | counted if name.removesuffix("_total") not in page} == set()


def test_every_number_of_a_summary_is_explained() -> None:
    page = Path("docs/reference/metrics.md").read_text("utf-8")
    fields = row_schema(RowName.SUMMARY)["properties"]
    assert isinstance(fields, dict)
    assert {name for name in fields if f"`{name}`" not in page} == set()
