"""Security events are recorded."""

from __future__ import annotations

from typing import Any

import asyncpg
import pytest

from castor_chassis.testing import RunningService

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_security_events_are_recorded_and_cannot_be_changed(
    auth: RunningService, people: Any, database: asyncpg.Connection
) -> None:
    """Register, failed and good login leave events without personal data; UPDATE and DELETE are refused."""
    email = people.email()
    session = await people.register(auth.client, email)
    await auth.client.post("/v1/auth/login", json={"email": email, "password": "not the password"})
    await auth.client.post("/v1/auth/login", json={"email": email, "password": people.password})
    rows = await database.fetch(
        "SELECT event, address_hash, request_id, details::text AS details FROM audit_events "
        "WHERE subject = $1 ORDER BY id",
        session["user"]["id"],
    )
    assert [row["event"] for row in rows] == ["register", "login_failed", "login"]
    assert all(len(row["address_hash"]) == 32 and row["request_id"] for row in rows)
    assert not any(email in row["details"] for row in rows)
    for statement in ("UPDATE audit_events SET event = 'x'", "DELETE FROM audit_events", "TRUNCATE audit_events"):
        with pytest.raises(asyncpg.RaiseError, match="append-only"):
            await database.execute(statement)
