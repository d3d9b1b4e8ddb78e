"""docker-compose.yml on an engine, under a name of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from engine import ROOT, Engine

LOG_IN = Path(__file__).with_name("log_in.py")
URL = "https://localhost:8443"


class Composition:
    """Containers of the images that were built before."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._secrets = engine.scratch / "compose.env"
        self.healthy_seconds = 0.0

    def up(self, *services: str) -> None:
        """Start services and what they wait for; return when every container is healthy or has done its work."""
        subprocess.run(["sh", "charts/development/secrets.sh", self._secrets], cwd=ROOT, check=True)
        began = time.monotonic()
        done = self.compose("up", "--detach", "--no-build", *services, check=False)
        while done.returncode != 0 or not all(self._is_in_place(*state) for state in self._states()):
            late = done.returncode != 0 or time.monotonic() - began > 600
            assert not late, f"{done.stderr[-2000:]}\n{self._states()}\n{self._logs()}"
            time.sleep(0.5)
        self.healthy_seconds = time.monotonic() - began

    @staticmethod
    def _is_in_place(state: str, health: str, code: str) -> bool:
        """Healthy, running without a check of its own, or done with its work."""
        return (state, health) in (("running", "healthy"), ("running", "")) or (state, code) == ("exited", "0")

    def _states(self) -> list[list[str]]:
        told = self.compose("ps", "--all", "--format", "{{.State}}|{{.Health}}|{{.ExitCode}}|{{.Service}}").stdout
        return [line.split("|")[:3] for line in told.splitlines()]

    def _logs(self) -> str:
        return str(self.compose("logs", "--tail", "20").stdout[-9000:])

    def log_in(self) -> None:
        """Log in as the administrator through the ingress; a failure is an ``AssertionError`` with what was said."""
        authorities = self._engine.scratch / "public-ca.pem"
        authorities.write_text(self.compose("exec", "-T", "ingress", "cat", "/certs/public/ca.pem").stdout)
        command = [*self._engine.near, sys.executable, str(LOG_IN), URL, str(authorities)]
        given = {**os.environ, **self._environment()}
        done = subprocess.run(command, env=given, capture_output=True, text=True, check=False, timeout=120)
        assert done.returncode == 0, done.stdout + done.stderr

    def stop(self) -> dict[str, int]:
        """Stop everything in good order; return each container's exit code."""
        self.compose("stop")
        numbers = self.compose("ps", "--all", "--quiet").stdout.split()
        told = self._engine.docker("inspect", "--format", "{{.Name}} {{.State.ExitCode}}", *numbers).stdout
        return {name: int(code) for name, code in (line.split() for line in told.splitlines())}

    def down(self) -> None:
        """Remove the containers and their volumes."""
        self.compose("down", "--volumes", "--timeout", "5", check=False)

    def compose(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run docker compose."""
        project = ("--project-name", "castor-images", "--env-file", self._engine.path(self._secrets))
        done: subprocess.CompletedProcess[str] = self._engine.docker("compose", *project, *arguments, check=check)
        return done

    def _environment(self) -> dict[str, str]:
        return dict(line.split("=", 1) for line in self._secrets.read_text().splitlines())
