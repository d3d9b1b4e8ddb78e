"""The script of `helm test` against a running auth-service: it passes when that works, and says what does not."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from castor_chassis.testing import Authority, RunningService

pytestmark = pytest.mark.asyncio(loop_scope="module")

SCRIPT = (Path(__file__).parents[2] / "charts" / "common" / "files" / "release_test.py").read_text()


async def helm_test(auth: RunningService, authority: Authority, folder: Path, **given: str) -> Any:
    """Run the script as the chart does, with the identity of auth-service."""
    files = authority.write(folder, "auth-service")
    asked = {"API_URL": auth.url, "MANAGEMENT_URL": auth.management_url, **given}
    tls = {"CERT": files.certificate, "KEY": files.key, "CA": files.authorities}
    environment = {**os.environ, **asked, **{f"TLS_{name}_FILE": str(path) for name, path in tls.items()}}
    command = [sys.executable, "-c", SCRIPT]
    return await asyncio.to_thread(
        subprocess.run, command, env=environment, capture_output=True, text=True, timeout=100, check=False
    )


async def test_a_working_release_passes(run_auth: Any, authority: Authority, tmp_path: Path) -> None:
    """Ready, mutual TLS, and the first administrator logs in with the password of the Secret."""
    secret = {"TEST_EMAIL": "first@castor.example", "TEST_PASSWORD": "Correct horse battery staple 1942"}
    given = {"bootstrap_admin_email": secret["TEST_EMAIL"], "bootstrap_admin_password": secret["TEST_PASSWORD"]}
    async with run_auth(**given) as auth:
        await auth.ready()
        done = await helm_test(auth, authority, tmp_path, **secret)
        assert done.returncode == 0, done.stderr
        assert "/v1/auth/login: 200" in done.stdout
        without = await helm_test(auth, authority, tmp_path)
        assert without.returncode == 0, without.stderr
        assert "login" not in without.stdout


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"TEST_EMAIL": "first@castor.example", "TEST_PASSWORD": "Not the one"}, "/v1/auth/login answered 401"),
        ({"MANAGEMENT_URL": "http://127.0.0.1:1"}, "does not answer"),
    ],
)
async def test_what_fails_is_said(
    auth: RunningService, authority: Authority, tmp_path: Path, given: dict[str, str], sentence: str
) -> None:
    """A wrong password and a service that cannot be reached end it with the address and the reason."""
    done = await helm_test(auth, authority, tmp_path, **given)
    assert done.returncode == 1
    assert sentence in done.stderr
