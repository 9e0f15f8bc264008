"""Rows whose texts are a megabyte in one line: the page stays usable and shows where it cuts."""

from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

from browser import open_page, watch
from runs import solution, write_run
from started import started

if TYPE_CHECKING:
    from playwright.sync_api import Browser

MEGABYTE = 1_000_000


def test_a_megabyte_in_one_line_in_every_field(browser: "Browser", tmp_path: Path) -> None:
    row = solution(0, [[0.2], [0.9]])
    step = row["steps"][0]
    vote = step["votes"][0]
    row["problem"] = "$" + "x" * MEGABYTE + "$"
    step["text"] = "\\frac{" * (MEGABYTE // 6)
    vote["analysis"] = "word " * (MEGABYTE // 5)
    vote["text"] = "`" * MEGABYTE
    vote["runs"] = [{"code": "print(" + "1+" * (MEGABYTE // 2) + "1 == 2)", "status": "ok"}]
    vote["runs"][0]["output"] = "9" * MEGABYTE + "\nFalse"
    row["id"] = "i" * MEGABYTE
    write_run(tmp_path / "huge.jsonl", [row, solution(1, [[0.9]])])
    with started("view", str(tmp_path / "huge.jsonl"), "--no-live") as address:
        context = browser.new_context(viewport={"width": 390, "height": 844})
        watched = watch(context, address)
        page = watched.page
        open_page(watched, address, "#/r/0")
        page.wait_for_selector("text=2 of 2 rows")
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        start = perf_counter()
        open_page(watched, address, "#/r/0/0/0/0")
        page.wait_for_selector(".vote.chosen .code")
        opened = perf_counter() - start
        watched.shot("huge")
        assert page.locator("text=Show all 1,000,00").count() > 0
        assert "Only the first 20,000 characters" in page.inner_text(".vote.chosen")
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        assert page.evaluate("document.body.innerText.length") < 300_000
        context.close()
    print(f"a row of {7 * MEGABYTE:,} characters opens in {opened:.2f} s")
    assert opened < 10.0
    watched.check()
