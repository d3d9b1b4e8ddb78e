"""The command as people run it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from castor_devstack.errors import DevstackError
from castor_devstack.lifecycle.background import follow_log
from castor_devstack.stack.services import SERVICES, Service, check

CASTOR = Path(sys.executable).with_name("castor")


def castor(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command with a state folder, from another folder, without anything on the path."""
    environment = {"CASTOR_HOME": str(home), "PATH": "/usr/bin:/bin", "HOME": os.environ.get("HOME", "/")}
    return subprocess.run([CASTOR, *arguments], cwd="/", env=environment, capture_output=True, text=True, check=False)


def test_status_of_nothing_has_the_same_shape(tmp_path: Path) -> None:
    """Stopped, the report names every service as not ready, and the exit code is 1."""
    done = castor(tmp_path / "state", "status", "--json")
    report = json.loads(done.stdout)
    assert done.returncode == 1
    assert {"services", "ingress", "ca", "postgres", "valkey", "home"} <= report.keys()
    assert list(report["services"]) == [service.name for service in SERVICES]
    for service in report["services"].values():
        assert service.keys() == {"api", "management", "ready", "pid", "log"}
        assert service["ready"] is False
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


def test_a_folder_that_cannot_be_written_is_said_so(tmp_path: Path) -> None:
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


def test_a_log_is_followed_over_truncation(tmp_path: Path) -> None:
    """The last lines come first, then whole new lines as they are written, also after the log was emptied."""
    log = tmp_path / "x.log"
    log.write_text("one\ntwo\n")
    seen: list[str] = []
    more = threading.Event()

    class Enough(Exception):
        pass

    def write(line: str) -> None:
        seen.append(line)
        more.set()
        if line == "four":
            raise Enough

    def append() -> None:
        more.wait(5)
        with log.open("a") as file:
            file.write("three\nha")
        while "three" not in seen:
            more.clear()
            more.wait(5)
        log.write_text("four\n")

    writer = threading.Thread(target=append)
    writer.start()
    with pytest.raises(Enough):
        follow_log(log, 1, follow=True, write=write)
    writer.join()
    assert seen == ["two", "three", "four"]
    with pytest.raises(DevstackError, match="no log yet"):
        follow_log(tmp_path / "none.log", 1, follow=False, write=write)


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.capability)
def test_the_table_agrees_with_the_services(service: Service) -> None:
    """Every name, peer and secret of the table exists in the settings of the service itself."""
    assert check(service) == []


def test_a_wrong_table_is_noticed() -> None:
    """A peer that a service has no setting for, or another name, is reported."""
    wrong = replace(SERVICES[1], peers=("twitter-service",))
    assert check(wrong) == ["sentiment_service: no setting TWITTER_URL"]
    assert "no class with service_name" in check(replace(SERVICES[1], name="other-service"))[0]
