"""Debian's Chromium, driven by Playwright: how a page is opened, and what it must never do."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
SHOTS = Path(os.environ.get("GENPRM_SHOTS", "build/shots"))


@dataclass
class Watched:
    """A page, and what its console and its network said."""

    page: "Page"
    faults: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)  # addresses beyond the page's own

    def shot(self, name: str) -> None:
        SHOTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=SHOTS / f"{name}.png")

    def check(self) -> None:
        assert self.faults == []
        assert self.foreign == []


@contextmanager
def chromium() -> Iterator["Browser"]:
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine; fix: apt-get install chromium")
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, headless=True, args=ARGUMENTS
        )
        try:
            yield browser
        finally:
            browser.close()


def watch(context: "BrowserContext", own: str) -> Watched:
    """A new page whose every error, dialog, and foreign request is noted."""
    watched = Watched(context.new_page())
    allowed = (own, "data:", "blob:", "about:")
    page = watched.page
    page.on("console", lambda m: _note(watched.faults, m.text, m.type == "error"))
    page.on("pageerror", lambda error: _note(watched.faults, str(error)))
    page.on("dialog", lambda dialog: _note(watched.faults, dialog.message))
    page.on("request", lambda r: _note(watched.foreign, r.url, not r.url.startswith(allowed)))
    page.set_default_timeout(15_000)
    return watched


@contextmanager
def chromium_page(
    browser: "Browser", own: str, *, expected: tuple[str, ...] = (), width: int = 1280
) -> Iterator[Watched]:
    """A page in a context of its own, checked at the end; `expected` texts are no faults."""
    context = browser.new_context(viewport={"width": width, "height": 860})
    watched = watch(context, own)
    yield watched
    context.close()
    watched.faults[:] = [f for f in watched.faults if not any(part in f for part in expected)]
    watched.check()


def _note(kept: list[str], text: str, wanted: bool = True) -> None:
    if wanted:
        kept.append(text)


def open_page(watched: Watched, address: str, place: str = "") -> None:
    """Open a place of the page afresh."""
    watched.page.goto("about:blank")
    watched.page.goto(f"{address}/{place}")
    watched.page.wait_for_selector("main")
