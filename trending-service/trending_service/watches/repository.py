"""SQL of watches and their events."""

from __future__ import annotations

import json
from dataclasses import astuple
from datetime import datetime

import asyncpg

from castor_chassis import Postgres, affected_rows
from trending_service.watches.model import Batch, EventFilter, Happening, NewWatch, Watch, WatchEvent

_WATCH = (
    "name, kind, topic, place, entity, threshold, url, quiet_from, quiet_until, digest_minutes, "
    "id, owner, generation, rotated_at, created_at"
)
_EVENT = "seq, key, kind, at, body, status, attempts, due_at, settled_at, last_error"

_COUNT_SQL = """
SELECT count(*), count(DISTINCT (place, entity)) FILTER (WHERE place IS NOT NULL OR entity IS NOT NULL),
       bool_or(place IS NOT DISTINCT FROM $2 AND entity IS NOT DISTINCT FROM $3)
FROM watches WHERE owner = $1
"""

_TELL_SQL = """
INSERT INTO watch_events (watch_id, key, kind, body, status, due_at)
SELECT $1::text, $2::text, $3::text, $4::jsonb, $5::text, $6::timestamptz
WHERE NOT EXISTS (SELECT FROM watch_events WHERE watch_id = $1 AND kind = $3 AND at > now() - $7::interval)
ON CONFLICT (watch_id, key) DO NOTHING RETURNING seq
"""

_CLAIM_SQL = """
WITH heads AS (
    SELECT DISTINCT ON (watch_id, kind = 'test') seq, watch_id, due_at FROM watch_events
    WHERE status = 'pending' ORDER BY watch_id, kind = 'test', seq),
taken AS (
    SELECT e.seq, e.watch_id, e.batch AS before FROM watch_events AS e JOIN heads USING (seq)
    WHERE heads.due_at <= now() AND e.due_at <= now() AND e.status = 'pending'
    ORDER BY e.due_at LIMIT $1 FOR UPDATE OF e SKIP LOCKED)
UPDATE watch_events AS e SET due_at = now() + make_interval(secs => $2), batch = coalesce(e.batch, $3 || e.seq)
FROM taken WHERE e.seq = taken.seq
RETURNING e.watch_id, e.batch, taken.before, e.kind = 'test' AS is_test
"""

_JOIN_BATCH_SQL = """
UPDATE watch_events SET batch = $2
WHERE watch_id = $1 AND status = 'pending' AND batch IS NULL AND due_at <= now() AND (kind = 'test') = $3
"""

# The id of a message always names the same events. Of a digest that arrived in part, the rest is another message.
_REVIVE_SQL = """
WITH asked AS (SELECT batch FROM watch_events WHERE watch_id = $1 AND seq = $2 AND status = 'dead')
UPDATE watch_events AS e SET status = 'pending', attempts = 0, due_at = now(), settled_at = NULL,
    batch = CASE WHEN NOT EXISTS (
        SELECT FROM watch_events AS other
        WHERE other.watch_id = $1 AND other.batch = e.batch AND other.status <> 'dead') THEN e.batch END
FROM asked
WHERE e.watch_id = $1 AND e.status = 'dead' AND (e.seq = $2 OR e.batch = asked.batch)
"""


class WatchRepository:
    """Stores watches and events. Every method raises ``DatabaseUnavailable`` when PostgreSQL is away."""

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres

    async def add(
        self, watch_id: str, owner: str, new: NewWatch, *, most: int, most_scopes: int | None = None
    ) -> Watch | None:
        """Store a watch; None when ``owner`` has ``most``, or watches ``most_scopes`` other places and entities."""
        async with self._postgres.transaction() as connection:
            await connection.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 1))", owner)
            found = await connection.fetchrow(_COUNT_SQL, owner, new.place, new.entity)
            assert found is not None
            count, scopes, is_known = found
            is_new = not is_known and (new.place is not None or new.entity is not None)
            if count >= most or (is_new and most_scopes is not None and scopes >= most_scopes):
                return None
            row = await connection.fetchrow(
                "INSERT INTO watches (id, owner, name, kind, topic, place, entity, threshold, url, quiet_from, "
                "quiet_until, digest_minutes) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) "
                f"RETURNING {_WATCH}",
                watch_id, owner, *astuple(new),
            )  # fmt: skip
            assert row is not None
            return _watch(row)

    async def get(self, watch_id: str, owner: str) -> Watch | None:
        """Return a watch of ``owner``."""
        row = await self._postgres.fetchrow(
            f"SELECT {_WATCH} FROM watches WHERE id = $1 AND owner = $2", watch_id, owner
        )
        return None if row is None else _watch(row)

    async def of(self, owner: str) -> list[Watch]:
        """Return the watches of ``owner``, oldest first."""
        rows = await self._postgres.fetch(
            f"SELECT {_WATCH} FROM watches WHERE owner = $1 ORDER BY created_at, id", owner
        )
        return [_watch(row) for row in rows]

    async def all(self) -> list[Watch]:
        """Return all watches."""
        return [_watch(row) for row in await self._postgres.fetch(f"SELECT {_WATCH} FROM watches ORDER BY id")]

    async def remove(self, watch_id: str, owner: str) -> bool:
        """Delete a watch with its events; False when there is none."""
        done = await self._postgres.execute("DELETE FROM watches WHERE id = $1 AND owner = $2", watch_id, owner)
        return affected_rows(done) > 0

    async def rotate(self, watch_id: str, owner: str) -> Watch | None:
        """Begin the next generation of a secret."""
        row = await self._postgres.fetchrow(
            "UPDATE watches SET generation = generation + 1, rotated_at = now() WHERE id = $1 AND owner = $2 "
            f"RETURNING {_WATCH}",
            watch_id, owner,
        )  # fmt: skip
        return None if row is None else _watch(row)

    async def tell(self, watch: Watch, happening: Happening, due_at: datetime) -> int | None:
        """Store an event once and return its number, None when the watch has it already, or its like of just now."""
        status = "stream" if watch.url is None else "pending"
        number: int | None = await self._postgres.fetchval(
            _TELL_SQL,
            watch.id, happening.key, happening.kind, json.dumps(happening.body), status, due_at, happening.once_in,
        )  # fmt: skip
        return number

    async def events(self, watch_id: str, wanted: EventFilter) -> list[WatchEvent]:
        """Return events of a watch, oldest first."""
        rows = await self._postgres.fetch(
            f"SELECT {_EVENT} FROM watch_events WHERE watch_id = $1 AND seq > $2 "
            "AND ($4::text IS NULL OR status = $4) AND ($5::timestamptz IS NULL OR at >= $5) "
            "AND ($6::timestamptz IS NULL OR at < $6) ORDER BY seq LIMIT $3",
            watch_id, wanted.after, wanted.limit, wanted.status, wanted.since, wanted.until,
        )  # fmt: skip
        return [_event(row) for row in rows]

    async def claim(self, limit: int, seconds: float) -> list[Batch]:
        """Take due batches, the oldest of each watch; nobody else gets them for ``seconds``.

        A watch whose oldest event is not due, or taken, waits: events arrive in their order. Tests wait for tests only.
        """
        async with self._postgres.transaction() as connection:
            taken = await connection.fetch(_CLAIM_SQL, limit, seconds, "msg_")
            return [batch for row in taken if (batch := await _batch(connection, row)) is not None]

    async def delivered(self, batch: Batch) -> None:
        """Note that a batch arrived."""
        await self._postgres.execute(
            "UPDATE watch_events SET status = 'delivered', settled_at = now(), attempts = attempts + 1, "
            "last_error = NULL WHERE seq = ANY($1::bigint[]) AND status = 'pending'",
            [event.seq for event in batch.events],
        )

    async def failed(self, batch: Batch, error: str, *, pause_seconds: float | None) -> None:
        """Note that a batch did not arrive; it is tried again after a pause, or dead when that is None."""
        await self._postgres.execute(
            "UPDATE watch_events SET attempts = attempts + 1, last_error = $2, "
            "due_at = now() + make_interval(secs => coalesce($3, 0)), "
            "status = CASE WHEN $3::float8 IS NULL THEN 'dead' ELSE 'pending' END, "
            "settled_at = CASE WHEN $3::float8 IS NULL THEN now() END "
            "WHERE seq = ANY($1::bigint[]) AND status = 'pending'",
            [event.seq for event in batch.events], error[:300], pause_seconds,
        )  # fmt: skip

    async def revive(self, watch_id: str, seq: int) -> bool:
        """Try a dead event again, with the others of its digest; False when it is not dead."""
        return affected_rows(await self._postgres.execute(_REVIVE_SQL, watch_id, seq)) > 0

    async def forget(self, before: datetime, limit: int) -> int:
        """Delete at most ``limit`` events from before a time, also those that never arrived; return how many."""
        done = await self._postgres.execute(
            "DELETE FROM watch_events WHERE seq IN "
            "(SELECT seq FROM watch_events WHERE at < $1 ORDER BY seq LIMIT $2 FOR UPDATE SKIP LOCKED)",
            before, limit,
        )  # fmt: skip
        return affected_rows(done)


async def _batch(connection: asyncpg.Connection, taken: asyncpg.Record) -> Batch | None:
    row = await connection.fetchrow(f"SELECT {_WATCH} FROM watches WHERE id = $1", taken["watch_id"])
    if row is None:
        return None
    watch = _watch(row)
    # A batch that was sent before stays as it is, so that its id always names the same events.
    if watch.digest_minutes is not None and taken["before"] is None:
        await connection.execute(_JOIN_BATCH_SQL, watch.id, taken["batch"], taken["is_test"])
    rows = await connection.fetch(
        f"SELECT {_EVENT} FROM watch_events WHERE watch_id = $1 AND batch = $2 AND status = 'pending' ORDER BY seq",
        watch.id, taken["batch"],
    )  # fmt: skip
    return Batch(taken["batch"], watch, [_event(row) for row in rows])


def _watch(row: asyncpg.Record) -> Watch:
    return Watch(**dict(row))


def _event(row: asyncpg.Record) -> WatchEvent:
    return WatchEvent(**{**dict(row), "body": json.loads(row["body"])})
