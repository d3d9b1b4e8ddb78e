"""The whole system, started once for the tests that no single service owns."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

CASTOR = str(Path(sys.executable).with_name("castor"))


@dataclass(frozen=True)
class System:
    """A running system of its own: own state folder, own ports."""

    home: Path
    environment: dict[str, str]

    def castor(self, *arguments: str, check: bool = True, seconds: float = 300) -> subprocess.CompletedProcess[str]:
        """Run the ``castor`` command against this system."""
        command = [CASTOR, *arguments]
        return subprocess.run(
            command, env=self.environment, capture_output=True, text=True, check=check, timeout=seconds
        )

    def status(self) -> dict[str, Any]:
        """Return ``castor status --json``."""
        found: dict[str, Any] = json.loads(self.castor("status", "--json", check=False).stdout)
        return found

    def log(self, service: str) -> list[dict[str, Any]]:
        """Return the JSON lines of a service's log."""
        path = Path(self.status()["services"][service]["log"])
        return [json.loads(line) for line in path.read_text().splitlines() if line.startswith("{")]


@pytest.fixture(scope="session")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """Start everything; limits are off, so that a fuzzer is not just told to wait."""
    home = tmp_path_factory.mktemp("system") / "castor"
    environment = {**os.environ, "CASTOR_HOME": str(home), "RATE_LIMIT": "1000000/minute"}
    running = System(home, environment)
    started = running.castor("up", "--detach", check=False)
    assert started.returncode == 0, started.stdout + started.stderr
    yield running
    running.castor("down")
