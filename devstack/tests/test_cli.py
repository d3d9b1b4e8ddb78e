"""The command as people run it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from castor_devstack.stack.services import SERVICES

CASTOR = Path(sys.executable).with_name("castor")


def castor(state_folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command with a state folder, from another folder, without anything on the path."""
    environment = {"CASTOR_HOME": str(state_folder), "PATH": "/usr/bin:/bin", "HOME": os.environ.get("HOME", "/")}
    return subprocess.run([CASTOR, *arguments], cwd="/", env=environment, capture_output=True, text=True, check=False)


def test_status_of_nothing_has_the_same_shape(tmp_path: Path) -> None:
    """Stopped, the report names every service as not ready, and the exit code is 1."""
    done = castor(tmp_path / "state", "status", "--json")
    report = json.loads(done.stdout)
    assert done.returncode == 1
    assert {"services", "ingress", "ca", "postgres", "valkey", "home"} <= report.keys()
    assert list(report["services"]) == [service.name for service in SERVICES]
    for service in report["services"].values():
        assert service.keys() == {"api", "management", "ready", "pid", "log", "last_error"}
        assert (service["ready"], service["last_error"]) == (False, None)
    assert "auth-service" in castor(tmp_path / "state", "status").stdout


def test_down_without_up_is_content(tmp_path: Path) -> None:
    """Stopping what does not run is no error and makes no folder."""
    done = castor(tmp_path / "state", "down")
    assert (done.returncode, done.stdout) == (0, "CASTOR is not running.\n")
    assert not (tmp_path / "state").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (("logs", "twiter"), 2, "the services are auth-service"),
        (("logs", "twitter"), 1, "start CASTOR with `castor up`"),
        (("token",), 1, "castor up --detach"),
        (("nonsense",), 2, "nonsense"),
    ],
)
def test_a_mistake_ends_with_a_sentence(tmp_path: Path, arguments: tuple[str, ...], code: int, sentence: str) -> None:
    """An error is one sentence on standard error without a traceback; 2 means the input was wrong."""
    done = castor(tmp_path / "state", *arguments)
    assert done.returncode == code
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


def test_a_folder_that_cannot_be_written_is_reported(tmp_path: Path) -> None:
    """A state folder in the place of a file ends the start with a sentence."""
    (tmp_path / "file").write_text("")
    done = castor(tmp_path / "file" / "state", "up", "--detach")
    assert done.returncode == 1
    assert "cannot be written" in done.stderr


def test_the_command_imports_nothing_heavy(tmp_path: Path) -> None:
    """Asking for help loads neither the chassis nor a client library nor cryptography."""
    code = "import sys, castor_devstack.cli; print([m for m in sys.modules if '.' not in m])"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    loaded = set(json.loads(done.stdout.replace("'", '"')))
    assert "typer" in loaded
    assert loaded.isdisjoint({"castor_chassis", "fastapi", "asyncpg", "cryptography", "psutil", "asyncio", "httpx2"})
