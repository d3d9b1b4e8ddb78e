"""The key-encryption secret is changed on a running system, and nobody notices."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import asyncpg
import pytest

from auth_service.crypto.vault import Vault
from auth_service.rewrapping.command import rewrap_secrets
from auth_service.settings import AuthSettings
from castor_chassis.testing import RunningService

pytestmark = pytest.mark.asyncio(loop_scope="module")
FORMER, PRESENT = "a key encryption secret for tests only", "another key encryption secret, for tests only"
SEALED = "SELECT sealed FROM signing_keys UNION ALL SELECT totp_sealed FROM users WHERE totp_sealed IS NOT NULL"


async def enrolled(service: RunningService, people: Any) -> None:
    """Let somebody begin with a second factor, whose key is stored sealed."""
    bearer = await people.headers(service.client)
    made = await service.client.post("/v1/auth/me/mfa/totp", json={"password": people.password}, headers=bearer)
    assert made.status_code == 201, made.text


async def test_a_rotation_of_the_secret_keeps_everything(
    run_auth: Any, people: Any, database: asyncpg.Connection, postgres_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Sealed by the former, opened by the ring, sealed anew by the command, opened by the present one alone."""
    async with run_auth() as service:
        await service.ready()
        await enrolled(service, people)
        bearer = await people.headers(service.client)
    ring = {"key_encryption_secret": PRESENT, "key_encryption_secrets_older": FORMER}
    async with run_auth(**ring) as service:
        await service.ready()
        assert (await service.client.get("/v1/auth/me", headers=bearer)).status_code == 200
        await enrolled(service, people)
    settings = AuthSettings(database_url=postgres_url, development=True, **ring)
    capsys.readouterr()
    counts = []
    for _ in range(2):
        assert await run_command(settings) == 0
        counts.append(json.loads(capsys.readouterr().out.splitlines()[-1]))
    assert [counts[0][kind]["sealed_anew"] for kind in ("signing_keys", "totp_keys")] == [1, 1]
    assert {kind: done["sealed_anew"] for kind, done in counts[1].items()} == dict.fromkeys(counts[1], 0)
    vault = Vault(PRESENT, [FORMER])
    assert all(vault.is_sealed_with_present(row["sealed"]) for row in await database.fetch(SEALED))
    async with run_auth(key_encryption_secret=PRESENT) as service:
        await service.ready()
        assert (await service.client.get("/v1/auth/me", headers=bearer)).status_code == 200


async def test_what_no_secret_opens_is_named(
    run_auth: Any, postgres_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The command leaves it as it is, names it, and exits with 1."""
    async with run_auth(key_encryption_secret=PRESENT) as service:
        await service.ready()
    settings = AuthSettings(
        database_url=postgres_url,
        development=True,
        key_encryption_secret="neither of the two " * 3,
        key_encryption_secrets_older=FORMER,
    )
    assert await run_command(settings) == 1
    report = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert len(report["signing_keys"]["unreadable"]) == 1


async def run_command(settings: AuthSettings) -> int:
    """Run the command as a process would, in a thread with a loop of its own."""
    return await asyncio.to_thread(rewrap_secrets, settings, [])


async def test_older_secrets_are_long_enough(postgres_url: str) -> None:
    """A former secret is held to the same length."""
    with pytest.raises(ValueError, match="at least 32 random characters"):
        AuthSettings(
            database_url=postgres_url,
            development=True,
            key_encryption_secret=PRESENT,
            key_encryption_secrets_older="short",
        )
