"""The console in a real browser: headless Chromium, driven by Playwright."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from castor_devstack.testing_system import System

EMAIL = "admin@castor.example"
ZONE = "America/Bogota"


def chromium() -> str:
    """Return the program, or skip: `make test` installs the driver where there is one."""
    pytest.importorskip("playwright", reason="needs the dependency group 'browser'")
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    return program or pytest.skip("there is no Chromium on this machine")


@dataclass
class Visit:
    """One visitor's page, and what the browser complained of."""

    page: Any
    url: str
    complaints: list[str] = field(default_factory=list)

    def open(self, address: str = "#/") -> Any:
        """Open a view and wait until nothing is being loaded; return the page."""
        from playwright.sync_api import expect

        self.page.goto(f"{self.url}/{address}")
        expect(self.page.locator("main h1")).to_be_visible()
        self.settle()
        return self.page

    def settle(self) -> None:
        """Wait until every part has its data or says why not."""
        from playwright.sync_api import expect

        expect(self.page.locator("[aria-busy=true]")).to_have_count(0, timeout=30_000)

    def sign_in(self, email: str, password: str) -> None:
        """Fill in the form as a person does."""
        self.page.fill("#email", email)
        self.page.fill("#password", password)
        self.page.click("button.primary")
        self.page.wait_for_selector("main nav, header nav")


@contextmanager
def visiting(browser: Any, system: System, **options: Any) -> Iterator[Visit]:
    """Give a fresh browser profile; at the end nothing was refused by the policy of content and no script failed."""
    context = browser.new_context(ignore_https_errors=True, locale="es-CO", timezone_id=ZONE, **options)
    try:
        page = context.new_page()
        visit = Visit(page, system.status()["ingress"])
        page.on("pageerror", lambda error: visit.complaints.append(str(error)))
        page.on("console", lambda said: visit.complaints.append(said.text) if _is_violation(said) else None)
        yield visit
        assert visit.complaints == []
    finally:
        context.close()


def _is_violation(said: Any) -> bool:
    return said.type == "error" and any(word in said.text for word in ("Content Security Policy", "Trusted"))
