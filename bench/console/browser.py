"""One reader's Chromium on the console of a running system, with ``probe.js`` in each page."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PROBE = (Path(__file__).parent / "probe.js").read_text()
NUMBERS = ("[data-number=tweets]", "[data-number=icce]")
WAIT_MS = 120_000
SETTLED = "() => !document.querySelector('[aria-busy=true]') && document.querySelector('main h1')"
# What is heard of an event comes after the frame that answers it.
FRAME_SECONDS = 0.25


@dataclass
class Reader:
    """A signed-in reader's page."""

    page: Any
    url: str

    def open(self, address: str) -> None:
        """Show a view of the loaded console and wait until each of its parts has its data."""
        self.page.evaluate("address => { location.hash = `/${address}` }", address)
        self.settle(f'main[data-at="/{address.split("?")[0]}"]')

    def settle(self, selector: str = "main") -> None:
        """Wait until nothing is being loaded."""
        self.page.wait_for_selector(selector, timeout=WAIT_MS)
        time.sleep(FRAME_SECONDS)
        self.page.wait_for_function(SETTLED, timeout=WAIT_MS)

    def first_numbers(self, address: str, *, cached: bool, tab: Any = None) -> dict[str, float]:
        """Load the page at ``address``; return milliseconds from asking for it to each first number on the screen."""
        page = tab or self.page
        if not cached:
            page.context.new_cdp_session(page).send("Network.clearBrowserCache")
        page.goto("about:blank")
        started = 1000 * time.time()
        page.goto(f"{self.url}/#/{address}")
        page.wait_for_selector("[data-number=icce]", timeout=WAIT_MS)
        page.wait_for_function("() => Object.values(castorProbe.firsts).filter(Boolean).length === 2", timeout=WAIT_MS)
        return {name: at - started for name, at in page.evaluate("castorProbe.firsts").items()}

    def requests(self) -> list[dict[str, Any]]:
        """Return what the page has asked the server for so far: path, when it began, how long it took, in ms."""
        fields = "({ name, startTime, duration }) => ({ name, startTime, duration })"
        told: list[dict[str, Any]] = self.page.evaluate(f"performance.getEntriesByType('resource').map({fields})")
        return told

    def heard(self) -> tuple[float, float]:
        """Return the slowest answer to an event and the longest task since last asked, in ms; 0: below 16, below 50."""
        time.sleep(FRAME_SECONDS)
        told = self.page.evaluate("({ events: castorProbe.events.splice(0), tasks: castorProbe.tasks.splice(0) })")
        return _most(told["events"]), _most(told["tasks"])


@contextmanager
def reading(url: str, email: str, password: str) -> Iterator[Reader]:
    """Give a reader who has signed in."""
    from playwright.sync_api import sync_playwright

    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    with (
        sync_playwright() as playwright,
        playwright.chromium.launch(executable_path=program, args=["--no-sandbox"]) as browser,
    ):
        context = browser.new_context(ignore_https_errors=True, locale="es-CO", viewport={"width": 1280, "height": 900})
        context.add_init_script(f"window.castorNumbers = {list(NUMBERS)};\n{PROBE}")
        page = context.new_page()
        page.goto(url)
        page.click("main button.primary")
        page.fill("#email", email)
        page.fill("#password", password)
        page.click("form[action$='/oidc/login'] button")
        page.wait_for_selector("header nav", timeout=WAIT_MS)
        yield Reader(page, url)


def _most(entries: list[dict[str, Any]]) -> float:
    return max((float(entry["duration"]) for entry in entries), default=0.0)
