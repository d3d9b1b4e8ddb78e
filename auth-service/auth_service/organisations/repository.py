"""The SQL of table ``organisations``, and of the column of ``users`` that names one."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from castor_chassis.storage.postgres import Database, affected_rows


@dataclass(frozen=True, slots=True)
class Organisation:
    """A campaign, a newsroom or another customer, whose data are its own."""

    id: str
    name: str
    created_at: datetime
    accounts: int


async def insert(db: Database, organisation_id: str, name: str) -> bool:
    """Store a new organisation; False when there is one of this id."""
    tag = await db.execute(
        "INSERT INTO organisations (id, name) VALUES ($1, $2) ON CONFLICT DO NOTHING", organisation_id, name
    )
    return affected_rows(tag) == 1


async def listed(db: Database, limit: int) -> list[Organisation]:
    """Return organisations by their ids, with the number of their accounts."""
    rows = await db.fetch(
        "SELECT o.id, o.name, o.created_at, (SELECT count(*) FROM users u WHERE u.org = o.id) AS accounts "
        "FROM organisations o ORDER BY o.id LIMIT $1",
        limit,
    )
    return [Organisation(**dict(row)) for row in rows]


async def exists(db: Database, organisation_id: str) -> bool:
    """Return whether there is an organisation of this id."""
    return bool(await db.fetchval("SELECT EXISTS (SELECT FROM organisations WHERE id = $1)", organisation_id))


async def move(db: asyncpg.Connection, user_id: uuid.UUID, organisation_id: str) -> None:
    """Let an account belong to another organisation."""
    await db.execute(
        "UPDATE users SET org = $2, updated_at = now(), credentials_changed_at = clock_timestamp() WHERE id = $1",
        *(user_id, organisation_id),
    )
