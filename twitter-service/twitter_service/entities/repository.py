"""Tracked entities, imports and daily counts in PostgreSQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from castor_chassis import Postgres
from twitter_service.errors import EntityExists, EntityNotFound, TooManyEntities
from twitter_service.matching.entities import Matcher, Terms
from twitter_service.tweets.repository import Row, lock_state
from twitter_service.tweets.upsert_repository import affected

_COLUMNS = "id, name, kind, handles, aliases, hashtags, colour, matching, created_at"
_CHANGE_REVISION = "UPDATE feed_state SET entity_revision = entity_revision + 1"
_MATCH_ANEW = "matching = true, matched_through = 0"
_TERM_FIELDS = frozenset({"handles", "aliases", "hashtags"})

# An id whose deletion is still being worked off may be taken anew.
_CREATE = f"""
INSERT INTO entities (id, name, kind, handles, aliases, hashtags, colour) VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (id) DO UPDATE
SET name = $2, kind = $3, handles = $4, aliases = $5, hashtags = $6, colour = $7,
    created_at = now(), deleted = false, {_MATCH_ANEW}
WHERE entities.deleted
RETURNING {_COLUMNS}
"""

_RELINK = """
WITH wanted AS (
    SELECT w.tweet_id, w.entity_id, t.created_at
    FROM unnest($1::bigint[], $2::text[]) AS w(tweet_id, entity_id) JOIN tweets t ON t.id = w.tweet_id
), gone AS (
    DELETE FROM tweet_entities e
    WHERE e.entity_id = ANY($3::text[]) AND e.tweet_id > $4 AND e.tweet_id <= $5
      AND NOT EXISTS (SELECT FROM wanted w WHERE w.tweet_id = e.tweet_id AND w.entity_id = e.entity_id)
    RETURNING e.tweet_id
), found AS (
    INSERT INTO tweet_entities (tweet_id, entity_id, created_at) SELECT * FROM (
        SELECT tweet_id, entity_id, created_at FROM wanted
    ) w ON CONFLICT DO NOTHING
    RETURNING tweet_id
), changed AS (
    SELECT tweet_id, row_number() OVER (ORDER BY tweet_id) AS number
    FROM (SELECT tweet_id FROM gone UNION SELECT tweet_id FROM found) either
)
UPDATE tweets t SET change_seq = $6 + changed.number FROM changed WHERE t.id = changed.tweet_id
"""

# Days are those of Bogota: UTC-5 the year round since 1993.
_COUNTS = """
WITH bounds AS (
    SELECT $2::date::timestamp AT TIME ZONE 'America/Bogota' AS first,
           ($3::date + 1)::timestamp AT TIME ZONE 'America/Bogota' AS beyond
), totals AS (
    SELECT date_trunc('{unit}', t.created_at AT TIME ZONE 'America/Bogota') AS slot, count(*) AS total
    FROM tweets t, bounds b
    WHERE NOT t.deleted AND t.created_at >= b.first AND t.created_at < b.beyond
      AND ($4::timestamptz IS NULL OR t.created_at <= $4)
    GROUP BY 1
), own AS (
    SELECT date_trunc('{unit}', e.created_at AT TIME ZONE 'America/Bogota') AS slot, e.entity_id, count(*) AS tweets,
           count(coalesce(e.label, t.label)) AS scored, count(e.label) AS targeted,
           count(*) FILTER (WHERE coalesce(e.label, t.label) = 'positive') AS positive,
           count(*) FILTER (WHERE coalesce(e.label, t.label) = 'neutral') AS neutral,
           count(*) FILTER (WHERE coalesce(e.label, t.label) = 'negative') AS negative
    FROM bounds b, tweet_entities e JOIN tweets t ON t.id = e.tweet_id
    WHERE e.entity_id = ANY($1::text[]) AND e.created_at >= b.first AND e.created_at < b.beyond
      AND ($4::timestamptz IS NULL OR e.created_at <= $4)
    GROUP BY 1, 2
)
SELECT {shown}, w.id AS entity, coalesce(own.tweets, 0) AS tweets, coalesce(own.scored, 0) AS scored,
       coalesce(own.targeted, 0) AS targeted, coalesce(own.positive, 0) AS positive,
       coalesce(own.neutral, 0) AS neutral, coalesce(own.negative, 0) AS negative,
       coalesce(totals.total, 0) AS total_tweets, totals.total IS NULL AS gap
FROM generate_series($2::date::timestamp, ($3::date + 1)::timestamp - interval '1 {unit}', '1 {unit}') AS s(slot)
CROSS JOIN unnest($1::text[]) AS w(id)
LEFT JOIN totals ON totals.slot = s.slot
LEFT JOIN own ON own.slot = s.slot AND own.entity_id = w.id
{until}
ORDER BY 1, 2
"""
_DAILY = _COUNTS.format(unit="day", shown="s.slot::date AS date", until="")
_HOURLY = _COUNTS.format(
    unit="hour",
    shown="s.slot AT TIME ZONE 'America/Bogota' AS hour",
    until="WHERE $4::timestamptz IS NULL OR s.slot AT TIME ZONE 'America/Bogota' <= $4",
)

_TOTAL = """
SELECT count(*) AS tweets,
       count(label) AS scored,
       count(*) FILTER (WHERE label = 'positive') AS positive,
       count(*) FILTER (WHERE label = 'neutral') AS neutral,
       count(*) FILTER (WHERE label = 'negative') AS negative,
       coalesce(array_agg(DISTINCT model) FILTER (WHERE model IS NOT NULL), '{}') AS models
FROM tweets
WHERE NOT deleted
  AND ($1::date IS NULL OR created_at >= $1::timestamp AT TIME ZONE 'America/Bogota')
  AND ($2::date IS NULL OR created_at < ($2::date + 1)::timestamp AT TIME ZONE 'America/Bogota')
  AND ($3::timestamptz IS NULL OR created_at <= $3)
"""


class EntityStore:
    """Entities and what is counted for them."""

    def __init__(self, postgres: Postgres, *, max_entities: int) -> None:
        self._postgres = postgres
        self._max_entities = max_entities

    async def entities(self) -> list[Row]:
        """Return all tracked entities by id."""
        sql = f"SELECT {_COLUMNS} FROM entities WHERE NOT deleted ORDER BY id"
        return [dict(row) for row in await self._postgres.fetch(sql)]

    async def entity(self, entity_id: str) -> Row:
        """Return one entity; raises ``EntityNotFound``."""
        sql = f"SELECT {_COLUMNS} FROM entities WHERE id = $1 AND NOT deleted"
        return _known(await self._postgres.fetchrow(sql, entity_id), entity_id)

    async def matcher(self) -> tuple[int, Matcher]:
        """Return the revision of the entities and a matcher of all of them."""
        row = await self._postgres.fetchrow(
            "SELECT entity_revision, ARRAY(SELECT row(id, handles, aliases, hashtags) FROM entities WHERE NOT deleted) "
            "AS terms FROM feed_state"
        )
        assert row is not None
        return row["entity_revision"], Matcher(_terms(terms) for terms in row["terms"])

    async def create(self, entity: Mapping[str, Any]) -> Row:
        """Track an entity; stored tweets are matched later. Raises ``EntityExists`` or ``TooManyEntities``."""
        async with self._postgres.transaction() as connection:
            await lock_state(connection)
            if await connection.fetchval("SELECT count(*) FROM entities WHERE NOT deleted") >= self._max_entities:
                raise TooManyEntities(limit=self._max_entities)
            row = await connection.fetchrow(_CREATE, *_values(entity))
            if row is None:
                raise EntityExists(entity_id=entity["id"])
            await connection.execute(_CHANGE_REVISION)
            return dict(row)

    async def create_missing(self, entities: Sequence[Mapping[str, Any]]) -> list[str]:
        """Track those of these entities that are not tracked yet, and return their ids."""
        async with self._postgres.transaction() as connection:
            await lock_state(connection)
            rows = [await connection.fetchrow(_CREATE, *_values(entity)) for entity in entities]
            await connection.execute(_CHANGE_REVISION)
            return [row["id"] for row in rows if row is not None]

    async def change(self, entity_id: str, changes: Mapping[str, Any]) -> Row:
        """Change fields of an entity; stored tweets are matched anew where its terms change."""
        async with self._postgres.transaction() as connection:
            await lock_state(connection)
            sql = f"SELECT {_COLUMNS} FROM entities WHERE id = $1 AND NOT deleted"
            merged = {**_known(await connection.fetchrow(sql, entity_id), entity_id), **changes}
            anew = f", {_MATCH_ANEW}" if _TERM_FIELDS & changes.keys() else ""
            row = await connection.fetchrow(
                "UPDATE entities SET name = $2, kind = $3, handles = $4, aliases = $5, hashtags = $6, colour = $7"
                f"{anew} WHERE id = $1 RETURNING {_COLUMNS}",
                *_values(merged),
            )
            await connection.execute(_CHANGE_REVISION)
            return _known(row, entity_id)

    async def delete(self, entity_id: str) -> Row:
        """Stop tracking an entity; stored tweets lose it later. Raises ``EntityNotFound``."""
        async with self._postgres.transaction() as connection:
            await lock_state(connection)
            row = await connection.fetchrow(
                f"UPDATE entities SET deleted = true, {_MATCH_ANEW} WHERE id = $1 AND NOT deleted RETURNING {_COLUMNS}",
                entity_id,
            )
            await connection.execute(_CHANGE_REVISION)
            return _known(row, entity_id)

    async def rematch_window(self, size: int) -> int | None:
        """Match the next ``size`` stored tweets against entities that changed.

        Returns how many tweets changed, each of which gets a new number; None when nothing is left to do.
        Safe beside imports and other replicas: all hold the feed's lock.
        """
        async with self._postgres.transaction() as connection:
            head, _ = await lock_state(connection)
            group = await connection.fetch(
                "SELECT id, handles, aliases, hashtags, deleted, matched_through FROM entities "
                "WHERE matching AND matched_through = (SELECT min(matched_through) FROM entities WHERE matching)"
            )
            if not group:
                return None
            ids, after = [row["id"] for row in group], group[0]["matched_through"]
            tweets = await connection.fetch(
                "SELECT id, username, text FROM tweets WHERE id > $1 AND NOT deleted ORDER BY id LIMIT $2", after, size
            )
            is_last = len(tweets) < size
            through = 2**63 - 1 if is_last else tweets[-1]["id"]
            links = _links(group, tweets)
            tag = await connection.execute(_RELINK, *links, ids, after, through, head)
            changed = affected(tag)
            await connection.execute("UPDATE feed_state SET head = head + $1", changed)
            await connection.execute(
                "UPDATE entities SET matched_through = $2, matching = $3 WHERE id = ANY($1)", ids, through, not is_last
            )
            await connection.execute("DELETE FROM entities WHERE deleted AND NOT matching")
            return changed

    async def matching_ids(self) -> list[str]:
        """Return the ids of entities whose stored tweets are still being matched."""
        return [row["id"] for row in await self._postgres.fetch("SELECT id FROM entities WHERE matching")]

    async def first_and_last_day(self, as_of: datetime | None) -> tuple[date, date] | None:
        """Return the Bogota days of the oldest and the newest tweet up to ``as_of``; None without tweets."""
        row = await self._postgres.fetchrow(
            "SELECT (min(created_at) AT TIME ZONE 'America/Bogota')::date, "
            "(max(created_at) AT TIME ZONE 'America/Bogota')::date "
            "FROM tweets WHERE NOT deleted AND ($1::timestamptz IS NULL OR created_at <= $1)",
            as_of,
        )
        return None if row is None or row[0] is None else (row[0], row[1])

    async def total(self, first: date | None, last: date | None, as_of: datetime | None) -> Row:
        """Return counts over all tweets of the days from ``first`` to ``last`` inclusive, tracked or not."""
        row = await self._postgres.fetchrow(_TOTAL, first, last, as_of)
        assert row is not None
        return dict(row)

    async def daily(self, entities: Sequence[str], first: date, last: date, as_of: datetime | None) -> list[Row]:
        """Return one row for each day and entity, by day, days without tweets included."""
        return [dict(row) for row in await self._postgres.fetch(_DAILY, list(entities), first, last, as_of)]

    async def hourly(self, entities: Sequence[str], first: date, last: date, as_of: datetime | None) -> list[Row]:
        """Return one row for each hour and entity of these days, by hour, hours without tweets included."""
        return [dict(row) for row in await self._postgres.fetch(_HOURLY, list(entities), first, last, as_of)]


def _known(row: Any, entity_id: str) -> Row:
    if row is None:
        raise EntityNotFound(entity_id=entity_id)
    return dict(row)


def _values(entity: Mapping[str, Any]) -> list[Any]:
    return [entity[name] for name in ("id", "name", "kind", "handles", "aliases", "hashtags", "colour")]


def _terms(row: Any) -> Terms:
    entity_id, handles, aliases, hashtags = row
    return Terms(entity_id, tuple(handles), tuple(aliases), tuple(hashtags))


def _links(group: Sequence[Any], tweets: Sequence[Any]) -> tuple[list[int], list[str]]:
    matcher = Matcher(_terms(row[:4]) for row in map(tuple, group) if not row[4])
    pairs = [(t["id"], entity) for t in tweets for entity in matcher.entities_of(t["username"], t["text"])]
    return [tweet_id for tweet_id, _ in pairs], [entity for _, entity in pairs]
