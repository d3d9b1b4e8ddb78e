"""A whole system for tests: own state folder, own ports, driven by the ``castor`` command as a user would."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CASTOR = str(Path(sys.executable).with_name("castor"))


@dataclass(frozen=True)
class System:
    """A running system of its own: own state folder, own ports."""

    home: Path
    environment: dict[str, str]

    def castor(self, *arguments: str, check: bool = True, seconds: float = 540) -> subprocess.CompletedProcess[str]:
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
