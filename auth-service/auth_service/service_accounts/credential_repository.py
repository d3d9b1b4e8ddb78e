"""The SQL of tables ``service_account_credentials`` and ``used_assertions``."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta

import asyncpg

from auth_service.service_accounts.model import Credential, HeldCredential
from castor_chassis.storage.postgres import Database, affected_rows

_COLUMNS = (
    "c.id, CASE WHEN c.public_key IS NULL THEN 'secret' ELSE 'public_key' END AS kind, "
    "c.created_at, c.expires_at, c.last_used_at"
)
_IN_FORCE = "c.revoked_at IS NULL AND c.expires_at > now()"
_BATCH = 1_000


async def insert(
    db: Database,
    credential_id: str,
    account_id: str,
    lifetime: timedelta,
    *,
    secret_hash: bytes | None = None,
    public_key: str | None = None,
) -> Credential:
    """Store the hash of a secret, or a public key (a JWK as JSON)."""
    row = await db.fetchrow(
        "INSERT INTO service_account_credentials AS c (id, account_id, secret_hash, public_key, expires_at) "
        f"VALUES ($1, $2, $3, $4, now() + $5) RETURNING {_COLUMNS}",
        *(credential_id, account_id, secret_hash, public_key, lifetime),
    )
    assert row is not None
    return Credential(**dict(row))


async def in_force(db: Database, account_id: str) -> list[Credential]:
    """Return the credentials in force of an account, newest first."""
    rows = await db.fetch(
        f"SELECT {_COLUMNS} FROM service_account_credentials c WHERE c.account_id = $1 AND {_IN_FORCE} "
        "ORDER BY c.created_at DESC, c.id",
        account_id,
    )
    return [Credential(**dict(row)) for row in rows]


async def held(db: Database, account_id: str) -> list[HeldCredential]:
    """Return what an account's client is verified with."""
    rows = await db.fetch(
        "SELECT c.id, c.secret_hash, c.public_key, c.session_id FROM service_account_credentials c "
        f"WHERE c.account_id = $1 AND {_IN_FORCE}",
        account_id,
    )
    return [HeldCredential(**dict(row)) for row in rows]


async def revoke(db: Database, account_id: str, credential_id: str) -> str | None:
    """End a credential and return the ``sid`` of its tokens; None: no such credential in force."""
    found: uuid.UUID | None = await db.fetchval(
        f"UPDATE service_account_credentials c SET revoked_at = now() WHERE c.id = $2 AND c.account_id = $1 "
        f"AND {_IN_FORCE} RETURNING c.session_id",
        *(account_id, credential_id),
    )
    return None if found is None else str(found)


async def renew_sessions(db: asyncpg.Connection, account_id: str) -> list[str]:
    """Give tokens from now on another ``sid``; return those of before, which are to be revoked."""
    return await _renewed(db, "c.account_id = $1", account_id)


async def renew_sessions_of_owner(db: asyncpg.Connection, owner_id: uuid.UUID) -> list[str]:
    """``renew_sessions`` for all accounts of a user."""
    return await _renewed(db, "c.account_id IN (SELECT a.id FROM service_accounts a WHERE a.owner_id = $1)", owner_id)


async def _renewed(db: asyncpg.Connection, condition: str, value: object) -> list[str]:
    rows = await db.fetch(
        f"WITH before AS (SELECT c.id, c.session_id FROM service_account_credentials c WHERE {condition} FOR UPDATE) "
        "UPDATE service_account_credentials n SET session_id = gen_random_uuid() FROM before b WHERE n.id = b.id "
        "RETURNING b.session_id",
        value,
    )
    return [str(row["session_id"]) for row in rows]


async def note_use(db: Database, credential_id: str) -> None:
    """Note that a credential got a token now."""
    await db.execute("UPDATE service_account_credentials SET last_used_at = now() WHERE id = $1", credential_id)


async def use_assertion(db: Database, assertion_hash: bytes, expires_at: datetime) -> bool:
    """Use up an assertion; False when it was used before."""
    tag = await db.execute(
        "INSERT INTO used_assertions (assertion_hash, expires_at) VALUES ($1, $2) ON CONFLICT DO NOTHING",
        *(assertion_hash, expires_at),
    )
    return affected_rows(tag) == 1


async def delete_expired(db: Database) -> None:
    """Delete assertions that nobody could use any more anyhow."""
    await db.execute("DELETE FROM used_assertions WHERE expires_at < now()")


async def delete_ended(db: Database, kept_for: timedelta) -> None:
    """Delete the credentials that expired or were revoked longer than ``kept_for`` ago, a batch at a time."""
    sql = (
        "DELETE FROM service_account_credentials WHERE id IN (SELECT c.id FROM service_account_credentials c "
        "WHERE least(c.expires_at, c.revoked_at) < now() - $1::interval LIMIT $2)"
    )
    while affected_rows(await db.execute(sql, kept_for, _BATCH)) == _BATCH:
        pass
