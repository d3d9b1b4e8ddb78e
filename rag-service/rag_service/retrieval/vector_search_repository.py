"""SQL of the search by meaning: every candidate compared, or those that an index yields."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import asyncpg

from castor_chassis import Postgres
from rag_service.documents.access_repository import accessing
from rag_service.documents.model import Access
from rag_service.retrieval.common_words_repository import CommonWords
from rag_service.retrieval.conditions_repository import where_of
from rag_service.retrieval.model import Candidate, Filters

VISITS = 300
"""An index visits about 100 * documents / candidates rows until 100 match, each for the time of 3 comparisons (bench
rag_recall): to compare all candidates is as quick up to sqrt(300 * documents) of them."""

KEPT_SECONDS, MOST_ESTIMATES = 60.0, 1_000
_ANY_TIME = datetime.max.replace(tzinfo=UTC)

# Only what has a vector can be compared. What was refused has none; it is named so that the index is used.
_OF_MODEL = "d.embedding_model = $2 AND NOT d.embedding_refused AND {where}"
_PLAN = f"EXPLAIN (FORMAT JSON) SELECT 1 FROM readable_documents d WHERE {_OF_MODEL.replace('$2', '$1')}"

# The bare column matches no index, which are on the cast: every candidate is compared. One more than may be is asked
# for: with it nothing is answered but how many there are.
_EXACT = f"""
WITH candidates AS MATERIALIZED (
    SELECT d.id, d.published_at,
           CASE WHEN vector_dims(d.embedding) = {{dimensions}} THEN d.embedding <=> $1::real[]::halfvec END AS distance
    FROM readable_documents d WHERE {_OF_MODEL} LIMIT $4
), counted AS (
    SELECT count(*) AS candidates FROM candidates
)
SELECT c.id, c.published_at, 1 - c.distance AS similarity, n.candidates
FROM counted n LEFT JOIN LATERAL (
    SELECT * FROM candidates WHERE n.candidates < $4 AND distance IS NOT NULL ORDER BY distance, id LIMIT $3
) AS c ON true
"""

# The index yields its neighbours nearly in order. All are taken before they are sorted, which the planner would
# otherwise leave out; and of four times as many as are asked for the nearest, so that a filter leaves enough.
_APPROXIMATE = f"""
WITH nearest AS MATERIALIZED (
    SELECT d.id, d.published_at,
           d.embedding::halfvec({{dimensions}}) <=> $1::real[]::halfvec({{dimensions}}) AS distance
    FROM readable_documents d
    WHERE {_OF_MODEL} AND vector_dims(d.embedding) = {{dimensions}}
    ORDER BY d.embedding::halfvec({{dimensions}}) <=> $1::real[]::halfvec({{dimensions}})
    LIMIT greatest(100, 4 * $3::integer)
)
SELECT id, published_at, 1 - distance AS similarity FROM nearest ORDER BY distance + 0, id LIMIT $3
"""
_EFFORT = "SELECT set_config('hnsw.ef_search', $1, true), set_config('hnsw.iterative_scan', 'relaxed_order', true)"


class VectorSearch:
    """Finds the nearest vectors; up to ``exact_rows`` candidates are compared one by one, more through HNSW indexes.

    A filter that leaves few rows makes an approximate index useless: its nearest neighbours are mostly filtered out
    (recall .03 at 1 % selectivity, measured), while comparing those few is exact and faster. PostgreSQL estimates how
    many there are; what it estimates too low is noticed when they are compared, too high when the index yields too few.
    """

    def __init__(self, postgres: Postgres, exact_rows: int, common: CommonWords) -> None:
        self._postgres = postgres
        self._exact_rows = exact_rows
        self._common = common
        self._estimates: dict[tuple[str, Filters], tuple[int, float]] = {}

    async def nearest(self, vector: list[float], model: str, filters: Filters, limit: int) -> list[Candidate]:
        """Return the documents nearest to ``vector`` among those that ``model`` embedded, nearest first."""
        asked = (vector, model, limit)
        documents = max(self._exact_rows, await self._common.documents())
        few = min(self._exact_rows, math.isqrt(VISITS * documents))
        async with accessing(self._postgres, filters.access) as connection:
            rows = None
            if await self._estimate(connection, model, filters) <= few:
                rows = await self._compared(connection, asked, filters)
            if rows is None:
                rows = await _approximate(connection, asked, filters)
                if len(rows) < limit:
                    rows = await self._compared(connection, asked, filters) or rows
        found = [Candidate((row["id"], row["published_at"]), row["similarity"]) for row in rows]
        # The cosine of a zero vector (a text without a known word) is no number.
        return [candidate for candidate in found if math.isfinite(candidate.value)]

    async def _estimate(self, connection: asyncpg.Connection, model: str, filters: Filters) -> int:
        """Return about how many candidates there are, as it was within the last minute."""
        asked = (model, replace(filters, as_of=_ANY_TIME, half_life_days=None, access=Access(filters.access.tenant)))
        now = time.monotonic()
        rows, until = self._estimates.get(asked, (0, 0.0))
        if now > until:
            where, values = where_of(filters, first=2)
            (explained,) = json.loads(await connection.fetchval(_PLAN.format(where=where), model, *values))
            rows = int(explained["Plan"]["Plan Rows"])
            if len(self._estimates) >= MOST_ESTIMATES:
                self._estimates.clear()
            self._estimates[asked] = (rows, now + KEPT_SECONDS)
        return rows

    async def _compared(
        self, connection: asyncpg.Connection, asked: tuple[list[float], str, int], filters: Filters
    ) -> Sequence[asyncpg.Record] | None:
        """Return the nearest of all candidates; None where there are more than may be compared."""
        where, values = where_of(filters, first=5)
        sql = _EXACT.format(dimensions=len(asked[0]), where=where)
        rows = await connection.fetch(sql, *asked, self._exact_rows + 1, *values)
        if rows[0]["candidates"] > self._exact_rows:
            return None
        return [row for row in rows if row["id"] is not None]


async def _approximate(
    connection: asyncpg.Connection, asked: tuple[list[float], str, int], filters: Filters
) -> Sequence[asyncpg.Record]:
    where, values = where_of(filters, first=4)
    await connection.execute(_EFFORT, str(min(1000, max(200, 4 * asked[2]))))
    rows: Sequence[asyncpg.Record] = await connection.fetch(
        _APPROXIMATE.format(dimensions=len(asked[0]), where=where), *asked, *values
    )
    return rows
