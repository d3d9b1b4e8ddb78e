"""The SQL of table ``pending_registrations``."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import timedelta

from auth_service.users.model import Profile
from castor_chassis.storage.postgres import Database, affected_rows


@dataclass(frozen=True, slots=True)
class PendingRegistration:
    """A registration whose address is not verified yet."""

    email: str
    password_hash: str
    roles: list[str]
    profile: Profile


async def insert(db: Database, token_hash: bytes, pending: PendingRegistration, lifetime: timedelta) -> None:
    """Store a registration until its token is presented or ``lifetime`` is over."""
    await db.execute(
        "INSERT INTO pending_registrations (token_hash, email, password_hash, roles, profile, expires_at) "
        "VALUES ($1, $2, $3, $4, $5, now() + $6)",
        *(token_hash, pending.email, pending.password_hash, pending.roles, asdict(pending.profile), lifetime),
    )


async def by_token(db: Database, token_hash: bytes) -> PendingRegistration | None:
    """Return the registration that this token confirms; None when there is none, or it has expired."""
    row = await db.fetchrow(
        "SELECT email, password_hash, roles, profile FROM pending_registrations "
        "WHERE token_hash = $1 AND expires_at > now()",
        token_hash,
    )
    if row is None:
        return None
    return PendingRegistration(row["email"], row["password_hash"], row["roles"], Profile(**row["profile"]))


async def take(db: Database, token_hash: bytes, email: str) -> bool:
    """Delete a registration, and all others of its address; False when it was taken before."""
    taken = affected_rows(await db.execute("DELETE FROM pending_registrations WHERE token_hash = $1", token_hash))
    await delete_of(db, email)
    return taken == 1


async def delete_of(db: Database, email: str) -> None:
    """Delete the registrations of an address."""
    await db.execute("DELETE FROM pending_registrations WHERE email = $1", email)


async def delete_expired(db: Database) -> None:
    """Delete registrations that were not confirmed in time."""
    await db.execute("DELETE FROM pending_registrations WHERE expires_at < now()")
