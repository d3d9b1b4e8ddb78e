"""A browser, and the console of a whole system that has the sample in it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from castor_devstack.job.ingress_client import IngressClient
from castor_devstack.job.tokens import access_token
from castor_devstack.supervision.state_folder import StateFolder
from castor_devstack.testing_system import System

from .console_kit import EMAIL, Visit, chromium, password_of, visiting


# Of a module: while Playwright runs, its loop is that of the thread, and no asynchronous test can have another.
@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    program = chromium()
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield running
        running.close()


@pytest.fixture(scope="session")
def sample(system: System) -> System:
    chromium()  # Without one the tests are skipped, and nothing need be imported.
    system.castor("demo")
    return system


@pytest.fixture(scope="session")
def url(sample: System) -> str:
    return str(sample.status()["ingress"])


@pytest.fixture
def visit(browser: Any, url: str, sample: System) -> Iterator[Visit]:
    """The administrator, signed in."""
    with visiting(browser, url) as visit:
        visit.page.goto(url)
        visit.sign_in(EMAIL, password_of(sample, EMAIL))
        yield visit


@pytest.fixture(scope="session")
def api(sample: System) -> Any:
    """``api(path)``: the data that the API gives to the administrator; ``api(path, "PUT", body)`` changes."""
    state = StateFolder(Path(sample.home))
    client, token = IngressClient.of(state), access_token(state)
    return lambda path, method="GET", body=None: client.call(method, path, body, token=token)
