"""Each image is built as the Dockerfile says, in a fresh environment from the lock, and its command starts."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from chart_tools import NAMES, ROOT
from dockerfile import Builder, Image, base_python

from castor_chassis.testing import Authority
from castor_devstack.stack.postgres import EmbeddedPostgres
from castor_devstack.stack.services import SERVICES, Service

UID = 10001
pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.skipif(
        not os.environ.get("CASTOR_IMAGES"),
        reason="builds seven environments: run 'make charts' or set CASTOR_IMAGES=1",
    ),
]


@pytest.fixture(scope="module")
def scratch() -> Iterator[Path]:
    """A folder that the image's user may enter."""
    folder = Path(tempfile.mkdtemp(prefix="castor-image-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def python(scratch: Path) -> Path:
    """What stands for the base image."""
    return base_python(scratch / "python")


@pytest.fixture
def database_url(shared_postgres: EmbeddedPostgres) -> Iterator[str]:
    """A database of its own for each service."""
    name = f"image_{secrets.token_hex(4)}"
    shared_postgres.run_sql(f'CREATE DATABASE "{name}" OWNER castor_test TEMPLATE castor_test')
    yield shared_postgres.url(name, "castor_test", "castor_test")
    shared_postgres.run_sql(f'DROP DATABASE "{name}" WITH (FORCE)')


def identity() -> dict[str, int | list[int]]:
    """Return the user of the image for subprocess, as far as we may become it."""
    return {"user": UID, "group": UID, "extra_groups": []} if os.geteuid() == 0 else {}


def free_port() -> int:
    """Return a port that was free a moment ago."""
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def certificates(authority: Authority, folder: Path, service: str) -> dict[str, str]:
    """Write an identity as a mounted Secret would have it, and return the settings that name it."""
    files = authority.write(folder, service)
    for path in [folder, *folder.rglob("*")]:
        os.chown(path, UID, UID) if os.geteuid() == 0 else None
        path.chmod(0o755 if path.is_dir() else 0o644)
    named = {"TLS_CERT_FILE": files.certificate, "TLS_KEY_FILE": files.key, "TLS_CA_FILE": files.authorities}
    return {name: str(path) for name, path in named.items()}


@contextmanager
def container(image: Image, settings: dict[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run the image's command as its user, in a folder where it may write nothing."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*image.entrypoint, *image.command],
            cwd=image.app, env={**image.environment, **settings}, stdout=output, stderr=output, **identity(),
        )  # type: ignore[call-overload]  # fmt: skip
        try:
            yield process
        finally:
            process.kill()
            process.wait()


def answer(url: str, context: ssl.SSLContext | None = None) -> tuple[int, dict[str, object]]:
    """Return status and JSON of a GET; 0 when nobody listens."""
    try:
        with urllib.request.urlopen(url, timeout=5, context=context) as reply:
            return reply.status, json.load(reply)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)
    except OSError:
        return 0, {}


def wait_ready(process: subprocess.Popen[bytes], port: int, log: Path) -> float:
    """Return the seconds until /health/ready said yes."""
    begun = time.monotonic()
    while (found := answer(f"http://127.0.0.1:{port}/health/ready"))[0] != 200:
        assert process.poll() is None, log.read_text()
        assert time.monotonic() - begun < 120, f"{found}\n{log.read_text()}"
        time.sleep(0.2)
    return time.monotonic() - begun


@pytest.mark.parametrize("service", SERVICES, ids=NAMES)
def test_the_image_builds_and_its_command_serves(
    service: Service, scratch: Path, python: Path, authority: Authority, database_url: str, redis_url: str
) -> None:
    """From the lock to a service that is ready, healthy by its own check, closed to strangers, and ends with 0."""
    builder = Builder(ROOT, scratch / service.name, python=python, arguments={"SERVICE": service.name})
    image = builder.build()
    assert sorted(path.name for path in image.app.iterdir()) == [".venv", "code"]
    # The layer of the dependencies holds nothing of ours, so a change of the code does not change it.
    ours = [path.name for path in (image.app / ".venv").rglob("site-packages/*") if "castor" in path.name]
    assert not [name for name in ours if not name.startswith("_")]
    assert not [*(image.app / ".venv").rglob(f"site-packages/{service.package}")]
    assert image.user == f"{UID}:{UID}"

    tls = certificates(authority, scratch / service.name / "tls", service.name)
    api, management = free_port(), free_port()
    settings = {"API_PORT": str(api), "MANAGEMENT_PORT": str(management), "REDIS_URL": redis_url, **tls}
    settings |= {name.upper(): "0123456789abcdef" * 4 for name in service.secrets}
    # Here the network is the whole machine's.
    settings |= {"API_HOST": "127.0.0.1", "MANAGEMENT_HOST": "127.0.0.1", "DRAIN_DELAY_SECONDS": "0"}
    # No mail leaves a test: auth-service starts with mails in its log on a developer's machine only.
    settings |= {"DEVELOPMENT": "true"}
    if service.database:
        settings["DATABASE_URL"] = database_url
        migrated = subprocess.run(
            [*image.entrypoint, "migrate"], env={**image.environment, **settings}, capture_output=True, text=True,
            cwd=image.app, check=False, **identity(),
        )  # type: ignore[call-overload]  # fmt: skip
        assert migrated.returncode == 0, migrated.stdout + migrated.stderr

    log = scratch / f"{service.name}.log"
    with container(image, settings, log) as process:
        seconds = wait_ready(process, management, log)
        environment = {**image.environment, **settings}
        check = subprocess.run(image.healthcheck, env=environment, capture_output=True, text=True, check=False)
        assert check.returncode == 0, check.stderr

        context = ssl.create_default_context(cafile=tls["TLS_CA_FILE"])
        context.check_hostname = False
        address = f"https://127.0.0.1:{api}/v1/{service.capability}/none"
        assert answer(address, context)[0] == 0, "answered without a client certificate"
        context.load_cert_chain(tls["TLS_CERT_FILE"], tls["TLS_KEY_FILE"])
        status, body = answer(address, context)
        assert (status, body["ok"]) in ((401, False), (404, False), (405, False)), body

        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0, log.read_text()
    print(f"{service.name}: ready after {seconds:.1f} s")
    check = subprocess.run(image.healthcheck, env=environment, capture_output=True, text=True, check=False)
    assert check.returncode != 0, "healthy without a process"
    shutil.rmtree(scratch / service.name)
