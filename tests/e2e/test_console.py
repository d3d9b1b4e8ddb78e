"""The console against the whole system, in a real browser."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from castor_devstack.job.ingress_client import IngressClient
from castor_devstack.job.tokens import access_token
from castor_devstack.supervision.state_folder import StateFolder
from castor_devstack.testing_system import System
from tests.e2e.console_kit import EMAIL, Visit, chromium, visiting

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    program = chromium()
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield running
        running.close()


@pytest.fixture(scope="module")
def sample(system: System, browser: Any) -> System:  # noqa: ARG001 - without a browser nothing need be imported
    system.castor("demo")
    return system


@pytest.fixture(scope="module")
def admin_password(system: System) -> str:
    secrets: dict[str, str] = json.loads((system.home / "secrets.json").read_text())
    return secrets["admin"]


@pytest.fixture
def visit(browser: Any, sample: System, admin_password: str) -> Iterator[Visit]:
    """The administrator, signed in."""
    with visiting(browser, sample) as visit:
        visit.page.goto(visit.url)
        visit.sign_in(EMAIL, admin_password)
        yield visit


@pytest.fixture
def api(sample: System) -> Any:
    """``api(path)``: the data that the API gives to the administrator."""
    state = StateFolder(Path(sample.home))
    client, token = IngressClient.of(state), access_token(state)
    return lambda path: client.call("GET", path, token=token)


def number(text: str) -> float:
    """Read a number as es-CO writes it: 1.234,5."""
    return float(text.replace(".", "").replace(",", "."))


def test_the_numbers_of_the_overview_are_those_of_the_api(visit: Visit, api: Any) -> None:
    """Tweets of the period, and each candidate's ICCE."""
    page = visit.open("#/?desde=2026-05-23&hasta=2026-05-29")
    total = api("/v1/twitter/counts/total?since=2026-05-23&until=2026-05-29&as_of=2026-05-30T05:00:00Z")
    assert number(page.inner_text("[data-number=tweets]")) == total["tweets"] > 0
    people = api("/v1/twitter/entities")["items"]
    shown = {
        card.get_attribute("data-entity"): number(card.locator("[data-number=icce]").inner_text())
        for card in page.locator("[data-entity]").all()
    }
    assert shown.keys() == {person["id"] for person in people}
    for entity, icce in shown.items():
        series = api(f"/v1/forecast/icce?entity={entity}&as_of=2026-05-30T05:00:00Z&days_back=7")
        assert icce == pytest.approx(series["span"]["icce"], abs=0.06)
