"""The console in a real browser: headless Chromium, driven by Playwright."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from castor_devstack.testing_system import System

EMAIL = "admin@castor.example"
ZONE = "America/Bogota"
VIEWS = (
    "#/", "#/candidaturas/mariana-restrepo", "#/comparar", "#/tendencias", "#/pronostico/mariana-restrepo",
    "#/preguntar", "#/explorar", "#/fuentes", "#/alertas", "#/informe", "#/consumo", "#/estado", "#/cuenta",
)  # fmt: skip


def chromium() -> str:
    """Return the program, or skip: `make test` installs the driver where there is one."""
    pytest.importorskip("playwright", reason="needs the dependency group 'browser'")
    found = (shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome"))
    return next((path for path in found if path), None) or pytest.skip("there is no Chromium on this machine")


@dataclass
class Visit:
    """One visitor's page, and what the browser complained of."""

    page: Any
    url: str
    complaints: list[str] = field(default_factory=list)

    def open(self, address: str = "#/") -> Any:
        """Open a view and wait until nothing is being loaded; return the page."""
        self.page.goto(f"{self.url}/{address}")
        path = address.removeprefix("#").partition("?")[0]
        self.page.wait_for_selector(f'main[data-at="{path}"] h1')
        self.settle()
        return self.page

    def settle(self) -> None:
        """Wait until every part has its data or says why not."""
        from playwright.sync_api import expect

        expect(self.page.locator("[aria-busy=true]")).to_have_count(0, timeout=60_000)

    def sign_in(self, email: str, password: str) -> None:
        """Go to the login page, fill it in as a person does, and come back."""
        self.page.click("main button.primary")
        self.give(email, password)
        self.page.wait_for_selector("header nav")

    def give(self, email: str, password: str) -> None:
        """Fill in the login page."""
        self.page.fill("#email", email)
        self.page.fill("#password", password)
        self.page.click("form[action$='/oidc/login'] button")

    def says(self, text: str) -> None:
        """Wait until a text can be read."""
        from playwright.sync_api import expect

        expect(self.page.get_by_text(text).first).to_be_visible(timeout=60_000)


@contextmanager
def visiting(browser: Any, url: str, **options: Any) -> Iterator[Visit]:
    """Give a fresh browser profile; at the end nothing was refused by the policy of content and no script failed."""
    context = browser.new_context(ignore_https_errors=True, locale="es-CO", timezone_id=ZONE, **options)
    try:
        page = context.new_page()
        visit = Visit(page, url)
        page.on("pageerror", lambda error: visit.complaints.append(str(error)))
        page.on("dialog", lambda dialog: visit.complaints.append(dialog.message))
        page.on("console", lambda said: visit.complaints.append(said.text) if _is_violation(said) else None)
        yield visit
        assert visit.complaints == []
    finally:
        context.close()


def _is_violation(said: Any) -> bool:
    return said.type == "error" and any(word in said.text for word in ("Content Security Policy", "Trusted"))


def password_of(system: System, email: str) -> str:
    return system.castor("password", "--user", email).stdout.strip()


def number(text: str) -> float:
    """Read a number as es-CO writes it: 1.234,5."""
    return float(text.replace(".", "").replace(",", "."))


def csv(path: Path, day: str, texts: Iterable[str], first: int) -> Path:
    """Write tweets of one day."""
    quoted = (text.replace('"', '""') for text in texts)
    rows = [f'{first + n},persona_{n},{day}T15:00:00Z,"{text}"' for n, text in enumerate(quoted)]
    path.write_text("id,username,created_at,text\n" + "\n".join(rows) + "\n")
    return path
