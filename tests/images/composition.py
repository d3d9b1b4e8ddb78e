"""docker-compose.yml on an engine, under a name of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from engine import ROOT, Engine

MAIN_JOB = Path(__file__).with_name("main_job.py")
URL = "https://localhost:8443"
# Asks the service of its own container without a certificate of its own.
STRANGER = """
import socket, ssl
context = ssl.create_default_context()
context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
with context.wrap_socket(socket.create_connection(("127.0.0.1", 8443), 30)) as connection:
    connection.sendall(b"GET / HTTP/1.0\\r\\n\\r\\n")
    print(connection.recv(16))
"""


class Composition:
    """Containers of the images that were built before."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._secrets = engine.scratch / "compose.env"
        self.healthy_seconds = 0.0

    def up(self) -> None:
        """Start everything; return when every container is healthy or has done its work."""
        subprocess.run(["sh", "charts/development/secrets.sh", self._secrets], cwd=ROOT, check=True)
        began = time.monotonic()
        done = self.compose("up", "--detach", "--no-build", check=False)
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

    def main_job(self) -> dict[str, Any]:
        """Log in and run the main job on the sample through the ingress; return its report.

        A failure is an ``AssertionError`` with what was said and the containers' last lines.
        """
        authorities, report = self._engine.scratch / "public-ca.pem", self._engine.scratch / "report.json"
        authorities.write_text(self.compose("exec", "-T", "ingress", "cat", "/certs/public/ca.pem").stdout)
        command = [*self._engine.near, sys.executable, str(MAIN_JOB), URL, str(authorities), str(report)]
        given = {**os.environ, **self._environment()}
        done = subprocess.run(command, env=given, capture_output=True, text=True, check=False, timeout=900)
        assert done.returncode == 0, f"{done.stdout}{done.stderr}\n{self._logs()}"
        result: dict[str, Any] = json.loads(report.read_text())
        return result

    def answer_to_a_stranger(self, service: str) -> str:
        """Return what a caller without a certificate is told by a service, its last line."""
        done = self.compose("exec", "-T", service, "python", "-c", STRANGER, check=False)
        return (done.stdout + done.stderr).splitlines()[-1]

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
