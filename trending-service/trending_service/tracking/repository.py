"""SQL of trends and their events."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime

import asyncpg

from castor_chassis import Postgres, affected_rows, normal_time
from trending_service.tracking.model import StoredEvent, Trend, TrendEvent
from trending_service.tracking.steps import Step

_COLUMNS = "id, scope, key, name, started_at, last_seen_at, peak_at, peak_rate, peak_told, ended_at, topic"

_INSERT_SQL = """
INSERT INTO trends (
    scope, key, name, started_at, last_seen_at, peak_at, peak_rate, peak_told, ended_at, topic, analysis_due_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, CASE WHEN $11 THEN now() END)
"""

_UPDATE_SQL = """
UPDATE trends SET last_seen_at = $3, peak_at = $4, peak_rate = $5, peak_told = $6, ended_at = $7, topic = $8,
    analysis_due_at = CASE WHEN $9 THEN now() ELSE analysis_due_at END
WHERE id = $1 AND started_at = $2
"""


class TrendRepository:
    """Stores trends. Every method raises ``DatabaseUnavailable`` when PostgreSQL is away."""

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres

    async def going_on(self, scope: str) -> list[Trend]:
        """Return the trends of a scope that have not ended."""
        rows = await self._postgres.fetch(
            f"SELECT {_COLUMNS} FROM trends WHERE scope = $1 AND ended_at IS NULL ORDER BY id", scope
        )
        return [_trend(row) for row in rows]

    async def scopes(self) -> set[str]:
        """Return the scopes of the trends that have not ended."""
        rows = await self._postgres.fetch("SELECT DISTINCT scope FROM trends WHERE ended_at IS NULL")
        return {row["scope"] for row in rows}

    async def store(self, step: Step) -> None:
        """Store the trends and what happened, together or not at all.

        What happened to a trend of the whole stream makes its analysis due.
        """
        changed = {event.trend.key for event in step.events if not event.trend.scope}
        async with self._postgres.transaction() as connection:
            for trend in step.trends:
                await _store(connection, trend, is_due=trend.key in changed)
            for event in step.events:
                await connection.execute(
                    "INSERT INTO trend_events (at, kind, scope, body, told) VALUES ($1, $2, $3, $4, false)",
                    event.at, event.kind, event.trend.scope, json.dumps(_body(event)),
                )  # fmt: skip

    async def between(self, since: datetime, until: datetime, scope: str, after: int, limit: int) -> list[Trend]:
        """Return trends that went on at any time in [since, until), by their ids, those after ``after``."""
        rows = await self._postgres.fetch(
            f"SELECT {_COLUMNS} FROM trends WHERE scope = $3 AND started_at < $2 "
            "AND coalesce(ended_at, last_seen_at) >= $1 AND id > $4 ORDER BY id LIMIT $5",
            since, until, scope, after, limit,
        )  # fmt: skip
        return [_trend(row) for row in rows]

    async def events_after(self, seq: int, scope: str, limit: int = 100) -> list[StoredEvent]:
        """Return events after a number, oldest first."""
        rows = await self._postgres.fetch(
            "SELECT seq, at, kind, body FROM trend_events WHERE seq > $1 AND scope = $2 ORDER BY seq LIMIT $3",
            seq, scope, limit,
        )  # fmt: skip
        return [_stored(row) for row in rows]

    async def untold(self) -> list[StoredEvent]:
        """Return the events that watches may not have been told of, oldest first."""
        rows = await self._postgres.fetch("SELECT seq, at, kind, body FROM trend_events WHERE NOT told ORDER BY seq")
        return [_stored(row) for row in rows]

    async def told(self, seqs: Sequence[int]) -> None:
        """Note that all watches were told of these events."""
        await self._postgres.execute(
            "UPDATE trend_events SET told = true WHERE NOT told AND seq = ANY($1::bigint[])", seqs
        )

    async def last_event(self) -> int:
        """Return the number of the newest event, 0 without any."""
        return int(await self._postgres.fetchval("SELECT coalesce(max(seq), 0) FROM trend_events"))

    async def forget(self, before: datetime, limit: int) -> int:
        """Delete at most ``limit`` events from before a time that all watches were told of; return how many."""
        done = await self._postgres.execute(
            "DELETE FROM trend_events WHERE at < $1 AND seq IN "
            "(SELECT seq FROM trend_events WHERE told AND at < $1 ORDER BY seq LIMIT $2 FOR UPDATE SKIP LOCKED)",
            before, limit,
        )  # fmt: skip
        return affected_rows(done)

    async def forget_trends(self, before: datetime, limit: int) -> int:
        """Delete at most ``limit`` trends that ended, or were last seen, before a time; return how many."""
        done = await self._postgres.execute(
            "DELETE FROM trends WHERE started_at < $1 AND (id, started_at) IN "
            "(SELECT id, started_at FROM trends WHERE started_at < $1 AND coalesce(ended_at, last_seen_at) < $1 "
            "ORDER BY started_at LIMIT $2 FOR UPDATE SKIP LOCKED)",
            before, limit,
        )  # fmt: skip
        return affected_rows(done)


async def _store(connection: asyncpg.Connection, trend: Trend, *, is_due: bool) -> None:
    state = (trend.last_seen_at, trend.peak_at, trend.peak_rate, trend.peak_told, trend.ended_at)
    topic = json.dumps(trend.topic)
    if trend.id is None:
        named = (trend.scope, trend.key, trend.name, trend.started_at)
        await connection.execute(_INSERT_SQL, *named, *state, topic, is_due)
    else:
        await connection.execute(_UPDATE_SQL, trend.id, trend.started_at, *state, topic, is_due)


def _stored(row: asyncpg.Record) -> StoredEvent:
    return StoredEvent(row["seq"], row["at"], row["kind"], json.loads(row["body"]))


def _trend(row: asyncpg.Record) -> Trend:
    return Trend(**{**dict(row), "topic": json.loads(row["topic"])})


def _body(event: TrendEvent) -> dict[str, object]:
    trend = event.trend
    return {
        "name": trend.name,
        "scope": trend.scope,
        "started_at": normal_time(trend.started_at),
        "peak_at": normal_time(trend.peak_at),
        "peak_tweets_per_hour": trend.peak_rate,
        "topic": trend.topic,
    }
