"""Every service does what its contract says, under Schemathesis with all its checks.

Bounded here; ``make fuzz MINUTES=5`` runs each service for that long.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from castor_devstack.testing_system import System

ROOT = Path(__file__).parents[2]
SERVICES = ("auth", "forecast", "openai", "rag", "sentiment", "trending", "twitter")
MINUTES = float(os.environ.get("CASTOR_FUZZ_MINUTES", "0"))


@pytest.mark.timeout(900)
@pytest.mark.parametrize("service", SERVICES)
def test_service_conforms_to_its_contract(system: System, service: str) -> None:
    """No crash, no undocumented answer, no accepted nonsense, no refused sense, on any operation."""
    name = f"{service}-service"
    # The service's own identity: it may reach /internal too, and no other service may send what users send.
    identity = system.home / "pki" / name / "current"
    command = [
        str(Path(sys.executable).with_name("st")), "--config-file", str(ROOT / "schemathesis.toml"),
        "run", str(ROOT / "contracts" / f"{name}.v1.yaml"),
        "--url", system.status()["services"][name]["api"],
        "--header", f"Authorization: Bearer {system.castor('token').stdout.strip()}",
        "--header", "X-Request-Timeout-Ms: 20000", "--request-timeout", "30",
        "--request-cert", str(identity / "cert.pem"), "--request-cert-key", str(identity / "key.pem"),
        "--tls-verify", str(system.home / "pki" / "ca.pem"),
        "--checks", "all",
        "--seed", "1", "--no-color", "--warnings", "off", "--continue-on-failure",
        *(["--max-time", str(int(MINUTES * 60))] if MINUTES else ["--max-examples", "12"]),
    ]  # fmt: skip
    environment = {**os.environ, "SCHEMATHESIS_HOOKS": str(ROOT / "tests" / "contract" / "calendar_ends.py")}
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=system.home.parent, env=environment)
    assert done.returncode == 0, done.stdout[-15_000:] + done.stderr[-2_000:]
