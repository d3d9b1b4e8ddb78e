"""The audit log: chained, sealed, verified by command, exported."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import redirect_stdout
from datetime import UTC, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

from auth_service.audit.command import verify_audit
from auth_service.audit.recorder import Audit
from auth_service.audit.repository import Seal
from auth_service.audit.service import AuditChain
from auth_service.crypto.vault import Vault
from auth_service.settings import AuthSettings
from castor_chassis import Postgres
from castor_chassis.context import remaining_seconds
from castor_chassis.testing import RunningService

pytestmark = pytest.mark.asyncio(loop_scope="module")
SECRET = "a key encryption secret for tests only"
URL = "/v1/auth/audit"


def verify(postgres_url: str, *arguments: str) -> tuple[int, dict[str, Any]]:
    """Run the command as an operator does; return its exit status and what it printed."""
    command = [sys.executable, "-m", "auth_service", "verify-audit", *arguments]
    environment = {**os.environ, "DATABASE_URL": postgres_url, "KEY_ENCRYPTION_SECRET": SECRET}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False, timeout=100)
    return done.returncode, json.loads(done.stdout) if done.stdout else {"stderr": done.stderr}


async def verified(postgres_url: str, *arguments: str) -> tuple[int, dict[str, Any]]:
    """``verify`` beside the running service."""
    return await asyncio.to_thread(verify, postgres_url, *arguments)


async def verified_here(
    postgres_url: str, *arguments: str, secret: str = SECRET, retention_days: int = 730
) -> tuple[int, dict[str, Any]]:
    """The command in this process, where no service logs: starting another takes longer than the work."""
    settings = AuthSettings(
        database_url=postgres_url, key_encryption_secret=secret, audit_retention_days=retention_days
    )  # type: ignore[arg-type]
    with redirect_stdout(StringIO()) as printed:
        status = await asyncio.to_thread(verify_audit, settings, arguments)
    return status, json.loads(printed.getvalue() or "{}")


async def _tampered(database: asyncpg.Connection, statement: str) -> None:
    """Do what a thief with all rights over the tables can."""
    async with database.transaction():
        for act, done in (("DISABLE", statement), ("ENABLE", "SELECT 1")):
            for table in ("audit_events", "audit_chain", "audit_seals"):
                await database.execute(f"ALTER TABLE {table} {act} TRIGGER USER")
            await database.execute(done)


@pytest_asyncio.fixture(loop_scope="module")
async def audited(database: asyncpg.Connection, postgres_url: str) -> AsyncIterator[Seal | None]:
    """The seal behind twelve events, with no other before: recorded and sealed as the service does."""
    await _tampered(database, "TRUNCATE audit_events, audit_chain, audit_seals")
    vault, postgres = Vault(SECRET), Postgres(postgres_url)
    await postgres.open()
    for number in range(12):
        await Audit(vault).record(postgres, "register", subject=f"user-{number}")
    yield await AuditChain(postgres, vault, timedelta(days=730)).seal()
    await postgres.close()


async def test_simultaneous_events_make_one_chain(
    run_auth: Any, people: Any, database: asyncpg.Connection, postgres_url: str
) -> None:
    """Events of two replicas at the same time are chained without a gap, and the command finds them intact."""
    async with run_auth() as one, run_auth() as two:
        await one.ready()
        await two.ready()
        await asyncio.gather(*(people.register(each.client) for each in (one, two) * 10))
    assert await database.fetchval("SELECT count(*) = max(seq) AND count(*) >= 20 FROM audit_chain")
    status, verdict = await verified(postgres_url)
    assert (status, verdict["intact"], verdict["problems"]) == (0, True, [])
    assert verdict["events"] == await database.fetchval("SELECT count(*) FROM audit_events")


@pytest.mark.parametrize(
    ("crime", "finding"),
    [
        ("UPDATE audit_events SET event = 'logout' WHERE id = (SELECT event_id FROM audit_chain WHERE seq = 5)",
         "link 5: event"),
        ("UPDATE audit_events SET details = '{\"x\": 1}' WHERE id = (SELECT event_id FROM audit_chain WHERE seq = 6)",
         "link 6: event"),
        ("DELETE FROM audit_events WHERE id = (SELECT event_id FROM audit_chain WHERE seq = 7)",
         "link 7: its event is gone"),
        ("DELETE FROM audit_chain WHERE seq = 4", "link 5: follows 3"),
        ("DELETE FROM audit_chain WHERE seq > 3", "the chain was cut short"),
        ("INSERT INTO audit_events (event, details) VALUES ('login', '{}')", "1 events stand outside the chain"),
        ("UPDATE audit_seals SET seal = hash", "was not made with this KEY_ENCRYPTION_SECRET"),
    ],
)  # fmt: skip
async def test_tampering_is_found(
    audited: Seal, database: asyncpg.Connection, postgres_url: str, crime: str, finding: str
) -> None:
    """Whatever is changed, removed or slipped in past the triggers, the command says where, and fails."""
    assert audited.seq == 12
    assert (await verified_here(postgres_url))[0] == 0
    await _tampered(database, crime)
    status, verdict = await verified_here(postgres_url)
    assert (status, verdict["intact"]) == (1, False)
    assert any(finding in problem for problem in verdict["problems"]), verdict["problems"]


async def test_retention_forgets_up_to_a_seal_and_no_more(
    run_auth: Any, people: Any, database: asyncpg.Connection, audited: Seal, postgres_url: str
) -> None:
    """Events past their time go, younger ones stay, the rest is intact; links stolen at the beginning are found."""
    assert audited.seq == 12
    boundary = await database.fetchval("SELECT max(seq) FROM audit_seals")
    secret = Vault(SECRET)
    for seq, head, sealed_at in await database.fetch("SELECT seq, hash, sealed_at FROM audit_seals"):
        old = sealed_at.astimezone(UTC) - timedelta(days=31)
        mac = secret.audit_seal(f"{seq} {head.hex()} {old.isoformat()}")
        changed = f"sealed_at = '{old.isoformat()}', seal = '\\x{mac.hex()}'"
        await _tampered(database, f"UPDATE audit_seals SET {changed} WHERE seq = {seq}")
    async with run_auth(audit_retention_days=30, audit_seal_seconds=0.05) as auth:
        await auth.ready()
        for _ in range(3):
            await people.register(auth.client)
        while await database.fetchval("SELECT min(seq) FROM audit_chain") <= boundary:
            await asyncio.sleep(0.02)
        await auth.client.get("/v1/auth/jwks")
    assert await database.fetchval("SELECT min(seq) FROM audit_chain") == boundary + 1
    assert await database.fetchval("SELECT count(*) FROM audit_events") >= 3
    assert (await verified_here(postgres_url, retention_days=30))[1]["problems"] == []
    await _tampered(database, f"DELETE FROM audit_chain WHERE seq = {boundary + 1}")
    status, verdict = await verified_here(postgres_url, retention_days=30)
    assert (status, verdict["problems"][0]) == (1, f"link {boundary + 2}: follows 0, so links between them are gone")


async def test_a_chain_computed_anew_does_not_fit_the_seals(
    audited: Seal, database: asyncpg.Connection, postgres_url: str
) -> None:
    """Whoever rewrites an event and every hash after it still lacks the secret behind the seals."""
    assert audited.seq == 12
    await _tampered(
        database,
        "UPDATE audit_events SET subject = 'nobody'; DELETE FROM audit_chain;"
        "DO $$ DECLARE e audit_events; last bytea := ''; n bigint := 0; BEGIN "
        "FOR e IN SELECT * FROM audit_events ORDER BY id LOOP n := n + 1; "
        "last := sha256(last || convert_to(audit_event_text(e), 'UTF8')); "
        "INSERT INTO audit_chain VALUES (n, e.id, last); END LOOP; END $$",
    )
    status, verdict = await verified_here(postgres_url)
    assert status == 1
    assert verdict["problems"]
    assert all("is of another chain: the chain was computed anew" in problem for problem in verdict["problems"])


async def test_another_secret_is_told_apart_from_tampering(audited: Seal, postgres_url: str) -> None:
    """With a wrong secret the links hold and the seals do not; without a database the command says so and returns 2."""
    assert audited.seq == 12
    status, verdict = await verified_here(postgres_url, secret="y" * 40)
    assert status == 1
    assert all("KEY_ENCRYPTION_SECRET" in problem for problem in verdict["problems"])
    status, said = await verified("postgresql://nobody@127.0.0.1:1/none")
    assert (status, "cannot be checked" in said["stderr"]) == (2, True)


async def test_export_is_complete_and_can_be_checked_elsewhere(
    auth: RunningService, people: Any, postgres_url: str, tmp_path: Path
) -> None:
    """The export holds every event as a line, continues behind any seq, and a changed line is found in the file."""
    headers = await people.administrator_headers(auth.client)
    for _ in range(3):
        await people.register(auth.client)
    answer = await auth.client.get(URL, headers=headers)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/x-ndjson")
    lines = answer.text.splitlines()
    entries = [json.loads(line) for line in lines]
    assert [entry["seq"] for entry in entries] == list(range(1, len(lines) + 1))
    assert {"login", "register"} <= {entry["event"] for entry in entries}
    rest = await auth.client.get(URL, headers=headers, params={"after": 2, "limit": 2})
    assert rest.text.splitlines() == lines[2:4]
    subject = entries[-1]["subject"]
    mine = (await auth.client.get(URL, headers=headers, params={"subject": subject})).text.splitlines()
    assert mine
    assert {json.loads(line)["subject"] for line in mine} == {subject}
    file = tmp_path / "audit.jsonl"
    file.write_text(answer.text)
    assert await verified(postgres_url, str(file)) == (
        0, {"intact": True, "events": len(lines), "head": entries[-1]["hash"], "seals": 0, "problems": []},
    )  # fmt: skip
    file.write_text(answer.text.replace('"register"', '"login"', 1))
    assert (await verified_here(postgres_url, str(file)))[0] == 1
    file.write_text("no export\n")
    assert (await verified_here(postgres_url, str(file)))[0] == 2


async def test_only_administrators_export(auth: RunningService, people: Any) -> None:
    """Without the scope users:admin the log stays closed."""
    headers = await people.headers(auth.client)
    assert (await auth.client.get(URL, headers=headers)).status_code == 403
    assert (await auth.client.get(URL)).status_code == 401


async def test_an_export_has_a_deadline_of_its_own(run_auth: Any, people: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A log of years takes longer than a request may."""

    async def lines() -> AsyncIterator[str]:
        yield str(remaining_seconds())

    async def export(*_: Any, **__: Any) -> AsyncIterator[str]:
        return lines()

    monkeypatch.setattr(AuditChain, "export", export)
    async with run_auth(audit_export_timeout_seconds=3000) as auth:
        headers = await people.administrator_headers(auth.client)
        assert 2000 < float((await auth.client.get("/v1/auth/audit", headers=headers)).text) <= 3000
