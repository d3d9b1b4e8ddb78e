"""SQL of the table ``poll_sets``."""

from __future__ import annotations

import asyncpg
from pydantic import TypeAdapter

from castor_chassis import Postgres
from forecast_service.polls.model import Poll, PollSet, PollSetSummary

_POLLS = TypeAdapter(tuple[Poll, ...])
_FIND = """
SELECT s.id, s.name, p.polls, p.first_poll, p.last_poll, s.created_at
FROM poll_sets AS s, LATERAL (
    SELECT count(*) AS polls, min((one->>'since')::date) AS first_poll, max((one->>'until')::date) AS last_poll
    FROM jsonb_array_elements(s.polls) AS one
) AS p
WHERE s.org = $1 AND s.id > $2 ORDER BY s.id LIMIT $3
"""


class PollSetRepository:
    """Polls of organisations. Every method raises ``DatabaseUnavailable`` when PostgreSQL is away."""

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres

    async def add(self, org: str, new: PollSet, *, most: int) -> PollSet | None:
        """Store polls once, or return those that are stored; None when the organisation has ``most`` others."""
        async with self._postgres.transaction() as connection:
            await connection.execute("SELECT pg_advisory_xact_lock(hashtext('poll_sets'), hashtext($1))", org)
            count = "SELECT count(*) FROM poll_sets WHERE org = $1 AND id <> $2"
            if await connection.fetchval(count, org, new.id) >= most:
                return None
            await connection.execute(
                "INSERT INTO poll_sets (org, id, name, polls) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
                org, new.id, new.name, _POLLS.dump_python(new.polls, mode="json"),
            )  # fmt: skip
            row = await connection.fetchrow("SELECT * FROM poll_sets WHERE org = $1 AND id = $2", org, new.id)
        assert row is not None, "it was stored in this transaction or before"
        return _set(row)

    async def get(self, org: str, set_id: str) -> PollSet | None:
        """Return polls of an organisation, or None."""
        row = await self._postgres.fetchrow("SELECT * FROM poll_sets WHERE org = $1 AND id = $2", org, set_id)
        return None if row is None else _set(row)

    async def find(self, org: str, after: str, limit: int) -> list[PollSetSummary]:
        """Return what is listed of the organisation's sets with an id after ``after``, by id."""
        return [PollSetSummary(**dict(row)) for row in await self._postgres.fetch(_FIND, org, after, limit)]

    async def delete(self, org: str, set_id: str) -> PollSet | None:
        """Delete polls of an organisation and return them, or None."""
        row = await self._postgres.fetchrow("DELETE FROM poll_sets WHERE org = $1 AND id = $2 RETURNING *", org, set_id)
        return None if row is None else _set(row)


def _set(row: asyncpg.Record) -> PollSet:
    return PollSet(row["id"], row["name"], _POLLS.validate_python(row["polls"]), row["created_at"])
