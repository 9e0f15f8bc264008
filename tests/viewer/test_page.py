"""The page in Debian's Chromium, over a real `genprm view`: what a person does with it."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
from browser import Watched, open_page

if TYPE_CHECKING:
    from playwright.sync_api import Browser


def test_the_list_loads_filters_and_searches(watched: Watched, address: str) -> None:
    page = watched.page
    open_page(watched, address, "#/r/0")
    page.wait_for_selector("text=40 of 40 rows")
    watched.shot("list")
    page.fill("#search", "zebra")
    page.wait_for_selector("text=1 of 40 rows")
    assert "row-9" in page.inner_text(".row-link")
    page.fill("#search", "")
    page.wait_for_selector("text=40 of 40 rows")
    page.get_by_label("Against label").check()
    page.wait_for_selector("text=1 of 40 rows")
    assert "row-3" in page.inner_text(".row-link")
    assert "wrong=true" in page.url
    page.get_by_label("Against label").uncheck()
    for label, count in (("Votes disagree", 2), ("Abstained", 2), ("Code failed", 1)):
        page.get_by_label(label).check()
        page.wait_for_selector(f"text={count} of 40 rows")
        page.get_by_label(label).uncheck()
    page.fill("[aria-label='Reward at most']", "0.45")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=2 of 40 rows")
    page.select_option("[aria-label='Which reward']", "lowest")
    page.fill("[aria-label='Reward at least']", "0.3")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=1 of 40 rows")
    page.click("button:has-text('Lowest')")
    assert "sort=lowest" in page.url


def test_keys_alone_lead_from_the_list_to_the_evidence(watched: Watched, address: str) -> None:
    page = watched.page
    open_page(watched, address, "#/r/0")
    page.wait_for_selector(".row-link")
    for key in ("j", "j", "j", "j", "Enter"):
        page.keyboard.press(key)
    page.wait_for_selector("h1:has-text('row-3')")
    page.keyboard.press("e")
    page.wait_for_selector(".step.current .vote")
    page.keyboard.press("l")
    page.wait_for_selector(".vote.chosen")
    assert page.url.endswith("#/r/0/3/1/0")
    stops = []
    for _ in range(3):
        page.keyboard.press("v")
        stops.append(page.evaluate("document.activeElement.className"))
    assert stops == ["evidence", "decisive-line", "decisive-output"]
    assert page.inner_text(".vote.chosen .decisive-output") == "False"
    assert "print(total == 6)" in page.inner_text(".vote.chosen .decisive-line")
    watched.shot("evidence")
    page.keyboard.press("?")
    page.wait_for_selector("dialog[open]")
    watched.shot("help")
    page.keyboard.press("Escape")
    page.wait_for_selector("dialog[open]", state="detached")
    page.keyboard.press("n")
    page.wait_for_selector("h1:has-text('row-4')")


def test_a_deep_link_opens_the_vote(watched: Watched, address: str) -> None:
    open_page(watched, address, "#/r/0/5/0/1")
    chosen = watched.page.wait_for_selector(".vote.chosen")
    assert chosen is not None
    assert "truncated" in chosen.inner_text()
    assert watched.page.locator(".katex").count() > 0


def test_hostile_rows_are_shown_as_text(watched: Watched, address: str) -> None:
    page = watched.page
    open_page(watched, address, "#/r/0/7/0/0")
    page.wait_for_selector(".vote.chosen")
    watched.shot("hostile")
    assert page.evaluate("window.pwned === undefined")
    assert page.locator("main img, main script, main a[href^='javascript']").count() == 0
    assert "⟨U+202E⟩" in page.inner_text("h1")
    assert "<script>" in page.inner_text(".vote.chosen .analysis")
    open_page(watched, address, "#/compare/0/1/7/7")
    page.wait_for_selector(".columns .step")
    assert page.evaluate("window.pwned === undefined")


def test_a_correction_goes_round(watched: Watched, address: str, folder: Path) -> None:
    page = watched.page
    open_page(watched, address, "#/r/1/3/1")
    page.wait_for_selector(".step.current .vote")
    page.keyboard.press("c")
    page.wait_for_selector(".correction")
    page.locator(".correction input[type=radio]").first.check()
    page.fill(".correction textarea", "2 + 3 is 5, as the step says.")
    watched.shot("correction")
    page.click("text=Keep the correction")
    page.wait_for_selector(".badge.corrected:has-text('corrected: correct')")
    journal = (folder / "second.jsonl.corrections.jsonl").read_text("utf-8").splitlines()
    assert json.loads(journal[-1])["reason"] == "2 + 3 is 5, as the step says."
    labelled = httpx.get(f"{address}/api/runs/1/corrections/labelled.jsonl").text
    assert json.loads(labelled)["label"] == -1
    chats = httpx.get(f"{address}/api/runs/1/corrections/chats.jsonl").text
    assert json.loads(chats)["labels"] == [True, True]
    open_page(watched, address, "#/corrections/1")
    page.wait_for_selector(".corrections li")
    watched.shot("corrections")


def test_a_solution_is_judged_live_and_can_be_stopped(watched: Watched, address: str) -> None:
    page = watched.page
    open_page(watched, address, "#/try")
    page.click("text=Fill in an example")
    page.click("text=Split into steps")
    page.wait_for_selector("h2:has-text('4 steps')")
    page.locator("text=Join with the step before").first.click()
    page.wait_for_selector("h2:has-text('3 steps')")
    page.click("text=Split into steps")
    page.wait_for_selector("h2:has-text('4 steps')")
    page.click("button:has-text('Verify')")
    page.wait_for_selector(".casting .vote", timeout=90_000)  # a vote before its step's verdict
    page.wait_for_selector("text=Judged by", timeout=90_000)
    assert page.locator(".try-steps .step .verdict.incorrect").count() > 0
    watched.shot("live")
    page.fill(".votes-field input", "16")
    page.click("button:has-text('Verify')")
    page.click("button:has-text('Stop')")
    page.wait_for_selector("text=Stopped after")


def test_two_runs_stand_side_by_side(watched: Watched, address: str) -> None:
    page = watched.page
    open_page(watched, address, "#/compare/0/1")
    page.wait_for_selector("text=1 with differing verdicts")
    assert "differ" in page.locator(".row-link").first.inner_text()
    watched.shot("compare")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_selector(".columns .step")
    watched.shot("pair")
    page.wait_for_selector("text=1 of 40")
    page.keyboard.press("n")
    page.wait_for_selector("text=2 of 40")
    page.keyboard.press("p")
    page.wait_for_selector("text=1 of 40")


def test_a_narrow_screen_needs_no_sideways_scrolling(browser: "Browser", address: str) -> None:
    from browser import watch

    context = browser.new_context(viewport={"width": 390, "height": 844}, color_scheme="dark")
    watched = watch(context, address)
    for name, place in (("phone-list", "#/r/0"), ("phone-vote", "#/r/0/7/0/0")):
        open_page(watched, address, place)
        watched.page.wait_for_selector(".row-link, .vote.chosen")
        watched.shot(name)
        assert watched.page.evaluate("document.documentElement.scrollWidth") <= 390
    context.close()
    watched.check()
