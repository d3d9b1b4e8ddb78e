"""The whole system, started once for the tests that no single service owns."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from castor_devstack.testing_system import System


@pytest.fixture(scope="session")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """Start everything; limits are off, so that a fuzzer is not just told to wait, and news are looked for often."""
    home = tmp_path_factory.mktemp("system") / "castor"
    environment = {**os.environ, "CASTOR_HOME": str(home), "RATE_LIMIT": "1000000/minute", "TRACK_SECONDS": "5"}
    running = System(home, environment)
    started = running.castor("up", "--detach", check=False)
    assert started.returncode == 0, started.stdout + started.stderr
    yield running
    running.castor("down")
