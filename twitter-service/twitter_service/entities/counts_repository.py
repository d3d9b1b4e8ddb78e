"""Counts of tweets, sentiment and axes by entity, day and hour, in PostgreSQL; with a data set, of its tweets alone.

A tweet counts with its sentiment towards the entity where that is known, else with the sentiment of its text; both by
one version of the sentiment model. What has no answer of that version counts as not scored.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from castor_chassis import Postgres
from twitter_service.entities.model import AxesCount, AxisCount, EntityCount, TotalCount

# Days are those of Bogota: UTC-5 the year round since 1993.
_TOTALS = """
WITH bounds AS (
    SELECT $2::date::timestamp AT TIME ZONE 'America/Bogota' AS first,
           ($3::date + 1)::timestamp AT TIME ZONE 'America/Bogota' AS beyond
), totals AS (
    SELECT date_trunc('{unit}', t.created_at AT TIME ZONE 'America/Bogota') AS slot, count(*) AS total
    FROM tweets t, bounds b
    WHERE NOT t.deleted AND t.created_at >= b.first AND t.created_at < b.beyond
      AND ($4::timestamptz IS NULL OR t.created_at <= $4)
      AND ($5::text IS NULL OR t.datasets @> ARRAY[$5::text])
    GROUP BY 1
)"""
_COUNTS = (
    _TOTALS
    + """, own AS (
    SELECT date_trunc('{unit}', p.created_at AT TIME ZONE 'America/Bogota') AS slot, p.entity_id, count(*) AS tweets,
           count(coalesce(p.towards, p.of_text)) AS scored, count(p.towards) AS targeted,
           count(*) FILTER (WHERE coalesce(p.towards, p.of_text) = 'positive') AS positive,
           count(*) FILTER (WHERE coalesce(p.towards, p.of_text) = 'neutral') AS neutral,
           count(*) FILTER (WHERE coalesce(p.towards, p.of_text) = 'negative') AS negative
    FROM bounds b, counted_pairs p
    WHERE p.entity_id = ANY($1::text[]) AND p.created_at >= b.first AND p.created_at < b.beyond
      AND ($4::timestamptz IS NULL OR p.created_at <= $4)
      AND ($5::text IS NULL OR p.datasets @> ARRAY[$5::text])
    GROUP BY 1, 2
)
SELECT {start} AS start, w.id AS entity, coalesce(own.tweets, 0) AS tweets, coalesce(own.scored, 0) AS scored,
       coalesce(own.targeted, 0) AS targeted, coalesce(own.positive, 0) AS positive,
       coalesce(own.neutral, 0) AS neutral, coalesce(own.negative, 0) AS negative,
       coalesce(totals.total, 0) AS total_tweets, totals.total IS NULL AS gap,
       (SELECT target_model FROM sentiment_versions) AS model
FROM generate_series($2::date::timestamp, ($3::date + 1)::timestamp - interval '1 {unit}', '1 {unit}') AS s(slot)
CROSS JOIN unnest($1::text[]) AS w(id)
LEFT JOIN totals ON totals.slot = s.slot
LEFT JOIN own ON own.slot = s.slot AND own.entity_id = w.id
{until}
ORDER BY 1, 2
"""
)
_DAILY = _COUNTS.format(unit="day", start="s.slot::date", until="")
_HOURLY = _COUNTS.format(
    unit="hour",
    start="s.slot AT TIME ZONE 'America/Bogota'",
    until="WHERE $4::timestamptz IS NULL OR s.slot AT TIME ZONE 'America/Bogota' <= $4",
)
# A tweet on two axes is one of the tweets of each, and adds two to the mentions of each.
_AXES = (
    _TOTALS.format(unit="day")
    + """, pairs AS (
    SELECT date_trunc('day', e.created_at AT TIME ZONE 'America/Bogota') AS slot, e.entity_id,
           coalesce(t.axes, '{}') AS axes
    FROM bounds b, tweet_entities e JOIN tweets t ON t.id = e.tweet_id
    WHERE e.entity_id = ANY($1::text[]) AND e.created_at >= b.first AND e.created_at < b.beyond
      AND ($4::timestamptz IS NULL OR e.created_at <= $4)
      AND ($5::text IS NULL OR t.datasets @> ARRAY[$5::text])
), own AS (
    SELECT slot, entity_id, count(*) AS tweets, count(*) FILTER (WHERE axes <> '{}') AS with_axis
    FROM pairs GROUP BY 1, 2
), by_axis AS (
    SELECT slot, entity_id, axis, count(*) AS tweets, sum(cardinality(axes)) AS mentions
    FROM pairs CROSS JOIN unnest(axes) AS a(axis) GROUP BY 1, 2, 3
), named AS (
    SELECT slot, entity_id, array_agg(axis ORDER BY axis) AS axes, array_agg(tweets ORDER BY axis) AS tweets,
           array_agg(mentions ORDER BY axis) AS mentions
    FROM by_axis GROUP BY 1, 2
)
SELECT s.slot::date AS day, w.id AS entity, coalesce(own.tweets, 0) AS tweets, coalesce(own.with_axis, 0) AS with_axis,
       totals.total IS NULL AS gap, named.axes, named.tweets AS axis_tweets, named.mentions
FROM generate_series($2::date::timestamp, $3::date::timestamp, '1 day') AS s(slot)
CROSS JOIN unnest($1::text[]) AS w(id)
LEFT JOIN totals ON totals.slot = s.slot
LEFT JOIN own ON own.slot = s.slot AND own.entity_id = w.id
LEFT JOIN named ON named.slot = s.slot AND named.entity_id = w.id
ORDER BY 1, 2
"""
)

_TOTAL = """
SELECT count(*) AS tweets,
       count(label) AS scored,
       count(*) FILTER (WHERE label = 'positive') AS positive,
       count(*) FILTER (WHERE label = 'neutral') AS neutral,
       count(*) FILTER (WHERE label = 'negative') AS negative,
       coalesce(array_agg(DISTINCT model) FILTER (WHERE label IS NOT NULL), '{}') AS models
FROM counted_texts
WHERE NOT deleted
  AND ($1::date IS NULL OR created_at >= $1::timestamp AT TIME ZONE 'America/Bogota')
  AND ($2::date IS NULL OR created_at < ($2::date + 1)::timestamp AT TIME ZONE 'America/Bogota')
  AND ($3::timestamptz IS NULL OR created_at <= $3)
  AND ($4::text IS NULL OR datasets @> ARRAY[$4::text])
"""

_FIRST_AND_LAST = """
SELECT (min(created_at) AT TIME ZONE 'America/Bogota')::date, (max(created_at) AT TIME ZONE 'America/Bogota')::date
FROM tweets WHERE NOT deleted AND ($1::timestamptz IS NULL OR created_at <= $1)
  AND ($2::text IS NULL OR datasets @> ARRAY[$2::text])
"""


class CountsRepository:
    """Every method raises ``DatabaseUnavailable`` while PostgreSQL is away."""

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres

    async def first_and_last_day(self, dataset: str | None, as_of: datetime | None) -> tuple[date, date] | None:
        """Return the Bogota days of the oldest and the newest tweet up to ``as_of``; None without tweets."""
        row = await self._postgres.fetchrow(_FIRST_AND_LAST, as_of, dataset)
        return None if row is None or row[0] is None else (row[0], row[1])

    async def total(
        self, first: date | None, last: date | None, as_of: datetime | None, dataset: str | None
    ) -> TotalCount:
        """Return counts over all tweets of the days from ``first`` to ``last`` inclusive, tracked or not."""
        row = await self._postgres.fetchrow(_TOTAL, first, last, as_of, dataset)
        assert row is not None
        return TotalCount(*row)

    async def daily(
        self, entities: Sequence[str], first: date, last: date, as_of: datetime | None, dataset: str | None
    ) -> list[EntityCount]:
        """Return one count for each day and entity, by day, days without tweets included."""
        rows = await self._postgres.fetch(_DAILY, list(entities), first, last, as_of, dataset)
        return [EntityCount(*row) for row in rows]

    async def hourly(
        self, entities: Sequence[str], first: date, last: date, as_of: datetime | None, dataset: str | None
    ) -> list[EntityCount]:
        """Return one count for each hour and entity of these days, by hour, hours without tweets included."""
        rows = await self._postgres.fetch(_HOURLY, list(entities), first, last, as_of, dataset)
        return [EntityCount(*row) for row in rows]

    async def by_axis(
        self, entities: Sequence[str], first: date, last: date, as_of: datetime | None, dataset: str | None
    ) -> list[AxesCount]:
        """Return one count for each day and entity, by day, with the axes that its tweets name."""
        rows = await self._postgres.fetch(_AXES, list(entities), first, last, as_of, dataset)
        return [_axes_count(row) for row in rows]


def _axes_count(row: Any) -> AxesCount:
    day, entity, tweets, with_axis, gap, *named = row
    by_axis = zip(*(column or () for column in named), strict=True)
    return AxesCount(day, entity, tweets, with_axis, gap, [AxisCount(*axis) for axis in by_axis])
