"""What the tests that no single service owns share: the whole system, started once, and helm."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from castor_devstack.testing_system import System

sys.path.append(str(Path(__file__).parent / "charts"))  # for chart_tools

from chart_tools import Helm, helm_over_copy


@pytest.fixture(scope="session")
def helm(tmp_path_factory: pytest.TempPathFactory) -> Helm:
    """Real helm over a copy of the charts whose dependencies were built a moment ago."""
    return helm_over_copy(tmp_path_factory.mktemp("charts"))


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
