"""The report: tables, paired differences, and the page in a real browser."""

import asyncio
import json
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from genprm.errors import InputError
from genprm.evaluate.labelled import LabelledSolution
from genprm.evaluate.pools import GradedPool
from genprm.evaluate.run import run
from genprm.evaluate.selection import FILE, select, to_json
from genprm.problem import Solution
from genprm.records.run_spec import JudgeSpec
from genprm.report.page import render
from genprm.report.report import Report, gather
from genprm.report.tables import Table
from genprm.verdict import Run as Code
from genprm.verdict import SolutionVerdict, StepVerdict, Vote

HOSTILE = "if a < b & c > d: </p><script>document.title = 'pwned'</script>"


class Fixed:
    """Gives the step at `wrong[id]` a low reward and all others a high one."""

    def __init__(self, name: str, wrong: Mapping[str, int]) -> None:
        self.name = name
        self.wrong = wrong

    @property
    def spec(self) -> JudgeSpec:
        return JudgeSpec(judge="fixed", settings={"name": self.name})

    async def judge(self, row: int, solution: Solution) -> SolutionVerdict:
        steps = []
        for index in range(len(solution.steps)):
            reward = 0.1 if index == self.wrong.get(solution.id) else 0.8
            vote = Vote(reward, HOSTILE, HOSTILE, (Code("print(1 < 2)", "True", "ok"),))
            steps.append(StepVerdict((vote, vote), 2))
        return SolutionVerdict(solution.id, tuple(steps))


def labelled(count: int = 40) -> list[LabelledSolution]:
    return [
        LabelledSolution(
            Solution(f"problem {HOSTILE}", ("one", HOSTILE, "three"), f"math-{index}"),
            index % 4 - 1,
            "math",
            "Generator <1>",
            index % 3 == 0,
        )
        for index in range(count)
    ]


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    root = tmp_path_factory.mktemp("runs")
    rows = labelled()
    perfect = {row.id: row.first_error for row in rows}
    half = {key: wrong if index % 2 else 0 for index, (key, wrong) in enumerate(perfect.items())}
    for name, wrong in (("perfect", perfect), ("half", half)):
        asyncio.run(run(rows, Fixed(name, wrong), root / name))
    pool = GradedPool("a", (True, False, True), (0, 1, 0), {"prm": ((0.9,), (0.5,), (0.1,))})
    (root / "pools").mkdir()
    (root / "pools" / FILE).write_text(to_json([select("three samples", [pool, pool])]))
    return [root / "half", root / "perfect", root / "pools"]


@pytest.fixture(scope="module")
def report(folders: list[Path]) -> Report:
    return gather(folders, rationales=5)


def test_differences_are_paired_and_starred(report: Report) -> None:
    (difference,) = (table for table in report.tables if table.title == "Differences")
    (line,) = difference.rows
    assert line[0] == "perfect − half"
    assert line[-1].endswith("*")


def test_a_run_does_not_differ_from_itself(folders: list[Path]) -> None:
    tables = gather([folders[0], folders[0]]).tables
    (difference,) = (table for table in tables if table.title == "Differences")
    assert difference.rows[0][1:] == ["+0.0 [+0.0, +0.0]"] * 2


def test_disagreements_are_what_one_hits_and_the_other_misses(report: Report) -> None:
    assert report.disagreements
    for one in report.disagreements:
        assert one.hit("perfect")
        assert not one.hit("half")
    assert len(report.details) == len(report.disagreements)
    written = [
        any(o.analysis for step in row.steps for o in step.opinions) for row in report.details
    ]
    assert written == [index < 5 for index in range(len(written))]


def test_tables_as_markdown_and_csv(report: Report) -> None:
    assert "| perfect | 100.0 [100.0, 100.0] |" in report.markdown()
    assert report.csv()["f1"].splitlines()[0] == "run,math,average,abstained"


@pytest.mark.parametrize(
    ("cell", "written"),
    [
        ("=1+1", "'=1+1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("-cmd", "'-cmd"),
        ("+1+cmd|' /C calc'!A0", "'+1+cmd|' /C calc'!A0"),
        ("-1.5", "-1.5"),
        ("+2.0 [+0.1, +3.9] *", '"+2.0 [+0.1, +3.9] *"'),
        ("run", "run"),
    ],
)
def test_no_cell_of_a_csv_is_a_formula(cell: str, written: str) -> None:
    assert Table("t", ["name"], [[cell]]).csv() == f"name\n{written}\n"


def test_runs_that_label_differently_cannot_be_compared(
    tmp_path: Path, folders: list[Path]
) -> None:
    other = [LabelledSolution(row.solution, 0, row.subset) for row in labelled()]
    asyncio.run(run(other, Fixed("other", {}), tmp_path / "other"))
    with pytest.raises(InputError, match="labelled differently"):
        gather([folders[0], tmp_path / "other"])


def test_the_page_stands_alone(report: Report) -> None:
    page = render(report)
    assert "<script" not in page
    assert not re.findall(r"""(?:src|href)=["'](?!#)""", page)
    assert "url(" not in page
    targets = set(re.findall(r'id="([^"]+)"', page))
    assert set(re.findall(r'href="#([^"]+)"', page)) <= targets


BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("chrome")


@pytest.mark.skipif(BROWSER is None, reason="no Chromium here")
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_in_a_browser(report: Report, tmp_path: Path, scheme: str) -> None:
    """On a phone nothing is wider than the screen, both schemes are readable, links lead on."""
    probe = """<pre id="probe"></pre><script>
      const luminance = color => { const [r, g, b] = color.match(/[\\d.]+/g).map(c => {
        c /= 255; return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4; });
        return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
      const style = getComputedStyle(document.body);
      const [ink, ground] = [luminance(style.color), luminance(style.backgroundColor)];
      document.getElementById("probe").textContent = JSON.stringify({
        title: document.title,
        overflow: document.documentElement.scrollWidth - innerWidth,
        contrast: (Math.max(ink, ground) + 0.05) / (Math.min(ink, ground) + 0.05),
        dark: ground < ink,
        charts: [...document.querySelectorAll("svg.chart")].map(
          c => c.getBoundingClientRect().width),
        broken: [...document.querySelectorAll("a")].filter(
          a => !document.getElementById(a.hash.slice(1))).length,
        articles: document.querySelectorAll("article").length,
      });
    </script>"""
    page = tmp_path / "report.html"
    page.write_text(render(report).replace("</body>", probe + "</body>"), encoding="utf-8")
    dom = subprocess.run(
        [
            str(BROWSER),
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--window-size=390,800",
            f"--user-data-dir={tmp_path / 'profile'}",
            f"--blink-settings=preferredColorScheme={0 if scheme == 'dark' else 1}",
            "--dump-dom",
            page.as_uri(),
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    ).stdout
    found = re.search(r'<pre id="probe">(.*?)</pre>', dom)
    assert found, dom[-2000:]
    seen = json.loads(found[1])
    assert seen["title"].startswith("genprm report")
    assert seen["overflow"] <= 0
    assert seen["contrast"] >= 7
    assert seen["dark"] is (scheme == "dark")
    assert seen["charts"]
    assert all(width > 200 for width in seen["charts"])
    assert seen["broken"] == 0
    assert seen["articles"] == len(report.details)
