"""Runs of every command in the browser: what each of them stored is shown as what it is."""

from typing import TYPE_CHECKING

import httpx
import pytest
from browser import Watched, open_page, watch
from command_runs import COMMANDS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

BEYOND = """[...document.querySelectorAll("body *")]
    .filter((node) => node.getBoundingClientRect().right > innerWidth + 1)
    .filter((node) => !node.closest(".code, pre, .tree, .formula.display, .katex-mathml"))
    .map((node) => node.outerHTML.slice(0, 200))
    .slice(0, document.documentElement.scrollWidth > innerWidth ? 5 : 0)"""


@pytest.fixture
def page_of(browser: "Browser", command_address: str) -> "Iterator[Watched]":
    context = browser.new_context(viewport={"width": 1280, "height": 860})
    opened = watch(context, command_address)
    yield opened
    context.close()
    opened.check()


@pytest.fixture(scope="session")
def numbers(command_address: str) -> dict[str, int]:
    """The numbers of the runs on the page, by command."""
    runs = httpx.get(f"{command_address}/api/runs").json()["runs"]
    found = {run["name"].removesuffix(".jsonl"): run["number"] for run in runs}
    assert set(found) == set(COMMANDS)
    return found


def test_all_runs_are_listed(page_of: Watched, command_address: str) -> None:
    open_page(page_of, command_address)
    page_of.page.wait_for_selector(".runs")
    text = page_of.page.inner_text(".runs")
    for command in ("verify", "evaluate", "rank", "refine", "search", "curate", "sample"):
        assert f"genprm {command}" in text
    page_of.shot("command-runs")


def test_votes_of_verify_show_their_label_mass(
    page_of: Watched, command_address: str, numbers: dict[str, int]
) -> None:
    row = f"{command_address}/api/runs/{numbers['verify']}/entries/0"
    steps = httpx.get(row).json()["steps"]
    place = next(
        (at, vote)
        for at, step in enumerate(steps)
        for vote, own in enumerate(step["votes"])
        if own["label_mass"] is not None
    )
    open_page(page_of, command_address, f"#/r/{numbers['verify']}/0/{place[0]}/{place[1]}")
    chosen = page_of.page.wait_for_selector(".vote.chosen")
    assert chosen is not None
    assert "P(Yes) + P(No) = 1.000" in chosen.inner_text() or "0.9" in chosen.inner_text()
    page_of.shot("command-verify")


def test_evaluate_shows_what_people_say(
    page_of: Watched, command_address: str, numbers: dict[str, int]
) -> None:
    page = page_of.page
    open_page(page_of, command_address, f"#/r/{numbers['evaluate']}")
    page.wait_for_selector(".row-link")
    assert "of 2 as labelled" in page.inner_text(".run-head")
    page.get_by_label("Against label").check()
    page.wait_for_selector("text=1 of 2 rows")
    page.click(".row-link")
    page.wait_for_selector(".badge.against")
    page_of.shot("command-evaluate")


def test_rank_shows_every_candidate(
    page_of: Watched, command_address: str, numbers: dict[str, int]
) -> None:
    page = page_of.page
    open_page(page_of, command_address, f"#/r/{numbers['rank']}/0")
    page.wait_for_selector("button.candidate")
    assert page.locator("button.candidate").count() >= 3
    assert "chosen" in page.inner_text(".candidate.current")
    page.locator("button.candidate").nth(1).click()
    page.wait_for_selector("h2:has-text('Candidate 2')")
    page.locator(".step-toggle").first.click()
    page.wait_for_selector("text=This command stores rewards only")
    page_of.shot("command-rank")
    open_page(page_of, command_address, f"#/r/{numbers['sample']}/0")
    page.wait_for_selector("button.candidate")


def test_refine_is_a_dialogue(
    page_of: Watched, command_address: str, numbers: dict[str, int]
) -> None:
    page = page_of.page
    open_page(page_of, command_address, f"#/r/{numbers['refine']}/0")
    page.wait_for_selector(".dialogue .said.policy")
    turns = page.locator(".said.policy").count()
    assert page.locator(".said.critic").count() == turns - 1
    assert page.locator(".said.policy.chosen").count() == 1
    page.keyboard.press("e")
    page.wait_for_selector(".step.current .vote")
    page_of.shot("command-refine")


def test_search_is_a_tree(page_of: Watched, command_address: str, numbers: dict[str, int]) -> None:
    page = page_of.page
    open_page(page_of, command_address, f"#/r/{numbers['search']}/0")
    page.wait_for_selector(".tree .node")
    nodes = page.locator(".tree .node").count()
    row = httpx.get(f"{command_address}/api/runs/{numbers['search']}/entries/0").json()
    assert nodes == len(row["tree"]) > 2
    assert page.locator(".tree .edge.on-choice").count() > 0
    page.locator(".tree a").last.focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("h2:has-text('The path to step')")
    page.wait_for_selector(".tree .node.current")
    page_of.shot("command-search")


def test_curate_goes_from_the_funnel_to_one_path(
    page_of: Watched, command_address: str, numbers: dict[str, int]
) -> None:
    page = page_of.page
    run = numbers["curate"]
    open_page(page_of, command_address, f"#/r/{run}")
    page.wait_for_selector(".funnel li")
    funnel = page.inner_text(".funnel")
    for stage in ("problems", "samples drawn", "critiques that can be read", "chats, genprm"):
        assert stage in funnel
    kept = next(
        own
        for own in httpx.get(f"{command_address}/api/runs/{run}/funnel").json()["stages"]
        if own["name"] == "paths kept by consensus"
    )
    assert kept["count"] > 0
    page_of.shot("command-curate")
    page.click(".row-link")
    page.wait_for_selector(".badge:has-text('kept by consensus')")
    page.keyboard.press("j")
    page.wait_for_selector(".step.current .vote")
    step = page.inner_text(".step.current")
    assert "MC score" in step
    assert "Critique 1" in step
    page_of.shot("command-curate-path")


def test_a_failed_row_says_why(
    page_of: Watched, command_address: str, numbers: dict[str, int]
) -> None:
    page = page_of.page
    open_page(page_of, command_address, f"#/r/{numbers['failed']}")
    page.wait_for_selector(".row-link")
    page.get_by_label("Failed 1").check()
    page.wait_for_selector("text=1 of 1 rows")
    page.click(".row-link")
    page.wait_for_selector("text=This row failed: no answer")


def test_nothing_of_hostile_rows_is_run(
    browser: "Browser", hostile_address: str, numbers: dict[str, int]
) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 860})
    watched = watch(context, hostile_address)
    page = watched.page
    runs = httpx.get(f"{hostile_address}/api/runs").json()["runs"]
    kinds = set()
    for run in runs:
        open_page(watched, hostile_address, f"#/r/{run['number']}")
        page.wait_for_selector(".row-link")
        row = httpx.get(f"{hostile_address}/api/runs/{run['number']}/entries/0").json()
        kinds.add(row["kind"])
        place = "/0" if row["steps"] else ""
        open_page(watched, hostile_address, f"#/r/{run['number']}/0{place}")
        page.wait_for_selector("h1")
        page.wait_for_selector(".step.current" if place else ".solution-head")
        assert page.evaluate("window.pwned === undefined")
        assert page.locator("main img, main script, main iframe, main a[href^='java']").count() == 0
        assert page.evaluate(BEYOND) == []
        watched.shot(f"hostile-{row['kind']}")
    assert kinds == {"solution", "pool", "refinement", "search", "path", "failed"}
    context.close()
    watched.check()
