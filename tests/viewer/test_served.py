"""The page of `genprm serve` with API keys: asked for, refused, kept for the tab, sent along."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest
from browser import chromium_page
from started import started

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytest.importorskip("uvicorn")
KEY = "key-for-this-test"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    keys: Path = tmp_path_factory.mktemp("keys") / "keys.txt"
    keys.write_text(KEY + "\n")
    with started("serve", "--keys", str(keys), "-m", "arithmetic", "--no-log-requests") as address:
        yield address


def test_only_the_pages_files_need_no_key(service: str) -> None:
    assert httpx.get(f"{service}/").status_code == 200
    assert httpx.get(f"{service}/app.js").status_code == 200
    for path in (
        "/api/runs",
        "/metrics",
        "/app.py",
        "/openapi.json",
        "/fonts",
        "//",
        "/%2e/api/runs",
    ):
        assert httpx.get(f"{service}{path}").status_code in (401, 404), path
    assert httpx.get(f"{service}/api/runs").status_code == 401


def test_the_page_asks_for_a_key_and_judges_with_it(browser: "Browser", service: str) -> None:
    with chromium_page(browser, service, expected=("401",)) as watched:
        page = watched.page
        page.goto(f"{service}/#/try")
        page.wait_for_selector("#api-key")
        assert "asks for an API key" in page.inner_text("main")
        watched.shot("key")
        page.fill("#api-key", "another-key")
        page.keyboard.press("Enter")
        page.wait_for_selector("text=does not accept this API key")
        page.fill("#api-key", KEY)
        page.keyboard.press("Enter")
        page.wait_for_selector("#problem")
        page.click("text=Fill in an example")
        page.click("text=Split into steps")
        page.wait_for_selector("h2:has-text('4 steps')")
        page.click("button:has-text('Verify')")
        page.wait_for_selector(".casting .vote", timeout=90_000)
        page.wait_for_selector("text=Judged by", timeout=90_000)
        assert page.evaluate("localStorage.length") == 0
        assert KEY not in page.url
        page.reload()
        page.wait_for_selector("#problem")  # the tab still has the key
        page.click("text=Forget the key")
        page.wait_for_selector("#api-key")
    assert "genprm_solutions_total{" in metrics(service)  # judged through the queue


def metrics(service: str) -> str:
    headers = {"Authorization": f"Bearer {KEY}"}
    return httpx.get(f"{service}/metrics", headers=headers).text
