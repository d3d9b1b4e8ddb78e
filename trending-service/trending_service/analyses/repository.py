"""SQL of the analyses that are due, and of the figures that they tell."""

from __future__ import annotations

import json
from datetime import datetime
from zoneinfo import ZoneInfo

from castor_chassis import Postgres
from trending_service.analyses.model import DueTrend, Figures
from trending_service.tracking.model import Trend

# The row becomes due again by itself when whoever took it is killed.
_CLAIM_SQL = """
UPDATE trends SET analysis_due_at = now() + make_interval(secs => $1)
WHERE (id, started_at) = (
    SELECT id, started_at FROM trends WHERE analysis_due_at <= now()
    ORDER BY analysis_due_at LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING id, scope, key, name, started_at, last_seen_at, peak_at, peak_rate, peak_told, ended_at, topic,
    analysis_due_at
"""

_SETTLE_SQL = """
UPDATE trends SET analysis_due_at = CASE WHEN ended_at IS NULL THEN now() + make_interval(secs => $4) END
WHERE id = $1 AND started_at = $2 AND analysis_due_at = $3
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
        row = await self._postgres.fetchrow(_CLAIM_SQL, seconds)
        if row is None:
            return None
        fields = {**dict(row), "topic": json.loads(row["topic"])}
        due_at = fields.pop("analysis_due_at")
        return DueTrend(Trend(**fields), due_at)

    async def settle(self, due: DueTrend, again_seconds: float) -> None:
        """Note that an analysis is stored, unless the trend has changed since it was taken.

        That of a trend which goes on is due again in ``again_seconds``.
        """
        await self._postgres.execute(_SETTLE_SQL, due.trend.id, due.trend.started_at, due.due_at, again_seconds)

    async def waiting(self, claim_seconds: float) -> int:
        """Return how many analyses are due, or were taken in the last ``claim_seconds`` and are not stored yet."""
        sql = "SELECT count(*) FROM trends WHERE analysis_due_at <= now() + make_interval(secs => $1)"
        return int(await self._postgres.fetchval(sql, claim_seconds))

    async def figures(self, term: str, since: datetime, until: datetime, zone: ZoneInfo) -> Figures:
        """Return the figures of the tweets of [since, until] that hold a term, given by its key; hours are local."""
        row = await self._postgres.fetchrow(_FIGURES_SQL, since, until, term, zone.key)
        assert row is not None
        return Figures(**dict(row))
