"""SQL of the analyses that are due, and of the figures that they tell."""

from __future__ import annotations

import json
from datetime import datetime
from zoneinfo import ZoneInfo

from castor_chassis import Postgres
from trending_service.analyses.model import DueTrend, Figures
from trending_service.tracking.model import Trend

_HAS_LATER = """EXISTS (
    SELECT FROM trends AS later WHERE later.scope = trends.scope AND later.key = trends.key
        AND later.started_at = trends.started_at AND later.id > trends.id)"""
# The row is free again by itself when whoever took it is killed.
_IS_FREE = """analysis_due_at <= now() AND (analysis_claimed_until IS NULL OR analysis_claimed_until <= now())"""

# Of trends with one document the last tells it, also when an earlier one may have replaced it in the meantime.
_PASS_ON_SQL = f"""
WITH earlier AS (
    UPDATE trends SET analysis_due_at = NULL, analysis_claimed_until = NULL
    WHERE (id, started_at) IN (
        SELECT id, started_at FROM trends WHERE {_IS_FREE} AND {_HAS_LATER} FOR UPDATE SKIP LOCKED)
    RETURNING scope, key, started_at)
UPDATE trends SET analysis_due_at = now() FROM earlier
WHERE trends.scope = earlier.scope AND trends.key = earlier.key AND trends.started_at = earlier.started_at
    AND NOT {_HAS_LATER}
"""

_CLAIM_SQL = f"""
UPDATE trends SET analysis_claimed_until = now() + make_interval(secs => $1)
WHERE (id, started_at) = (
    SELECT id, started_at FROM trends WHERE {_IS_FREE} AND NOT {_HAS_LATER}
    ORDER BY analysis_due_at LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING id, scope, key, name, started_at, last_seen_at, peak_at, peak_rate, peak_told, ended_at, topic,
    analysis_due_at, analysis_claimed_until
"""

# Whoever took longer than it had may have replaced what another wrote: the trend is due again, after that other.
_SETTLE_SQL = f"""
UPDATE trends SET
    analysis_due_at = CASE
        WHEN (analysis_due_at, analysis_claimed_until) IS DISTINCT FROM ($3, $4) OR {_HAS_LATER} THEN now()
        WHEN ended_at IS NULL THEN now() + make_interval(secs => $5) END,
    analysis_claimed_until = nullif(analysis_claimed_until, $4)
WHERE id = $1 AND started_at = $2
"""

# A text is looked through much faster than it is taken apart.
_FIGURES_SQL = """
WITH held AS (
    SELECT created_at, author, label FROM tweets
    WHERE created_at >= $1 AND created_at <= $2 AND strpos(terms, $3) > 0 AND $3 = ANY(string_to_array(terms, E'\\n'))),
busiest AS (
    SELECT date_trunc('hour', created_at, $4) AS at, count(*)::int AS tweets FROM held
    GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 1)
SELECT count(*)::int AS tweets, count(DISTINCT author)::int AS accounts,
    count(*) FILTER (WHERE label = 'positive')::int AS positive,
    count(*) FILTER (WHERE label = 'neutral')::int AS neutral,
    count(*) FILTER (WHERE label = 'negative')::int AS negative,
    (SELECT at FROM busiest) AS busiest_at, coalesce((SELECT tweets FROM busiest), 0) AS busiest_tweets
FROM held
"""


class AnalysisRepository:
    """Trends whose analysis is due. Every method raises ``DatabaseUnavailable`` when PostgreSQL is away."""

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres

    async def claim(self, seconds: float) -> DueTrend | None:
        """Take the trend that is due for longest; nobody else gets it for ``seconds``. None when none is due."""
        await self._postgres.execute(_PASS_ON_SQL)
        row = await self._postgres.fetchrow(_CLAIM_SQL, seconds)
        if row is None:
            return None
        fields = {**dict(row), "topic": json.loads(row["topic"])}
        due_at, claimed_until = fields.pop("analysis_due_at"), fields.pop("analysis_claimed_until")
        return DueTrend(Trend(**fields), due_at, claimed_until)

    async def settle(self, due: DueTrend, again_seconds: float) -> None:
        """Note that an analysis is stored; that of a trend which goes on is due again in ``again_seconds``.

        It is due again now where the trend has changed since it was taken, or where another may have been stored since.
        """
        trend = due.trend
        taken = (trend.id, trend.started_at, due.due_at, due.claimed_until)
        await self._postgres.execute(_SETTLE_SQL, *taken, again_seconds)

    async def waiting(self) -> int:
        """Return how many analyses are due and not stored yet."""
        return int(await self._postgres.fetchval("SELECT count(*) FROM trends WHERE analysis_due_at <= now()"))

    async def figures(self, term: str, since: datetime, until: datetime, zone: ZoneInfo) -> Figures:
        """Return the figures of the tweets of [since, until] that hold a term, given by its key; hours are local."""
        row = await self._postgres.fetchrow(_FIGURES_SQL, since, until, term, zone.key)
        assert row is not None
        return Figures(**dict(row))
