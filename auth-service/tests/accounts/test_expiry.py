"""What lapses is deleted; a module of its own, where no other replica does that once a minute."""

from __future__ import annotations

from typing import Any

import asyncpg
import pytest

from castor_chassis.testing import until

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_registration_that_has_expired_is_forgotten(
    run_auth: Any, people: Any, database: asyncpg.Connection
) -> None:
    """A registration that nobody confirmed is deleted, with the address and the hash in it."""
    email = people.email()
    await database.execute(
        "INSERT INTO pending_registrations VALUES ('\\x00', $1, 'hash', '{viewer}', '{}', now() - interval '1 s')",
        email,
    )

    async def is_forgotten() -> bool:
        sql = "SELECT count(*) FROM pending_registrations WHERE email = $1"
        return await database.fetchval(sql, email) == 0

    assert not await is_forgotten()
    async with run_auth(registration="verified") as auth:
        await auth.ready()
        await until(is_forgotten)
