"""The searches in SQL: by words, by meaning, and the vector indexes that the second one uses."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import structlog

from castor_chassis.storage.postgres import Postgres
from rag_service.documents.model import Document, Filters, Key
from rag_service.documents.repository import COLUMNS, keys_of

log = structlog.get_logger("castor.rag.search")

COMMON = 4_000
"""A lexeme in so many documents says little: counting stops there."""
MATCHES = 5_000
"""About so many documents are scored: those with the rarest words; the common ones only add to the score."""
MAX_TERMS = 16
"""The rarest lexemes of a question; the rest cannot change the order by much."""

_TERMS = f"""
SELECT rag_term(t.lexeme)::text AS term, n.documents
FROM unnest(rag_lexemes($1)) AS t
CROSS JOIN LATERAL (
    SELECT count(*) AS documents FROM (
        SELECT 1 FROM documents d
        WHERE d.lexemes @@ rag_term(t.lexeme) AND d.published_at <= $2 LIMIT {COMMON}
    ) AS counted
) AS n
WHERE n.documents > 0
ORDER BY n.documents, term LIMIT {MAX_TERMS}
"""

_LEXICAL = f"""
WITH terms AS MATERIALIZED (
    SELECT term::tsquery AS term, weight FROM unnest($1::text[], $2::float8[]) AS t(term, weight)
), matches AS (
    SELECT d.id, d.published_at, d.lexemes FROM documents d
    WHERE d.lexemes @@ ($3::text)::tsquery AND {{where}}
    ORDER BY d.published_at DESC LIMIT {2 * MATCHES}
)
SELECT m.id, m.published_at, (SELECT sum(t.weight * ts_rank(m.lexemes, t.term, 1)) FROM terms t) AS score
FROM matches m
ORDER BY score DESC, m.published_at DESC, m.id LIMIT $4
"""

_COUNT = "SELECT count(*) FROM (SELECT 1 FROM documents d WHERE {where} LIMIT $1) AS counted"

# The bare column matches no index, which are on the cast: every candidate is compared.
_EXACT = """
SELECT id, published_at, 1 - distance AS similarity FROM (
    SELECT d.id, d.published_at, d.embedding <=> $1::real[]::halfvec AS distance FROM documents d
    WHERE d.embedding_model = $2 AND vector_dims(d.embedding) = {dimensions} AND {where}
    ORDER BY distance LIMIT $3
) AS nearest
ORDER BY distance, id
"""

_APPROXIMATE = """
SELECT id, published_at, 1 - distance AS similarity FROM (
    SELECT d.id, d.published_at,
           d.embedding::halfvec({dimensions}) <=> $1::real[]::halfvec({dimensions}) AS distance
    FROM documents d
    WHERE d.embedding_model = $2 AND vector_dims(d.embedding) = {dimensions} AND {where}
    ORDER BY d.embedding::halfvec({dimensions}) <=> $1::real[]::halfvec({dimensions}) LIMIT $3
) AS nearest
ORDER BY distance, id
"""

_PARTITIONS = """
SELECT child.relname AS name,
       array(SELECT i.relname::text FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid
             WHERE x.indrelid = child.oid AND i.relname LIKE '%\\_hnsw\\_%' AND x.indisvalid) AS valid,
       array(SELECT i.relname::text FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid
             WHERE x.indrelid = child.oid AND i.relname LIKE '%\\_hnsw\\_%' AND NOT x.indisvalid) AS broken
FROM pg_inherits JOIN pg_class child ON child.oid = inhrelid
WHERE inhparent = 'documents'::regclass
ORDER BY name
"""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A document that one of the searches found; ``value`` is its score or its cosine."""

    key: Key
    value: float


class SearchStore:
    """Finds documents. ``exact_rows``: up to so many candidates are compared one by one.

    A filter that leaves few rows makes an approximate index useless: its nearest neighbours are mostly
    filtered out (recall .05 at 1 % selectivity, measured), while comparing those few is both exact and fast.
    So candidates are counted first, up to the limit, and the way follows from the count.
    """

    def __init__(self, postgres: Postgres, *, dimensions: int, exact_rows: int) -> None:
        self._postgres = postgres
        self._dimensions = dimensions
        self._exact_rows = exact_rows

    async def lexical(self, query: str, filters: Filters, limit: int) -> list[Candidate]:
        """Return the documents with the rarest words of ``query``, best first.

        Score: sum over lexemes of ln(1 + 4000 / documents with it) * ts_rank, which saturates with
        frequency and is divided by 1 + ln(length): BM25's three ideas with what PostgreSQL has at hand.
        """
        terms = await self._postgres.fetch(_TERMS, query, filters.as_of)
        if not terms:
            return []
        rare = _enough([(row["term"], row["documents"]) for row in terms], limit)
        weights = [math.log1p(COMMON / row["documents"]) for row in terms]
        where, values = _where(filters, first=5)
        sql = _LEXICAL.format(where=where)
        names = [row["term"] for row in terms]
        rows = await self._postgres.fetch(sql, names, weights, " | ".join(rare), limit, *values)
        return [Candidate((row["id"], row["published_at"]), row["score"]) for row in rows]

    async def dense(self, vector: list[float], model: str, filters: Filters, limit: int) -> list[Candidate]:
        """Return the documents nearest to ``vector`` among those that ``model`` embedded, nearest first."""
        where, values = _where(filters, first=4)
        if await self._are_few(filters):
            sql = _EXACT.format(dimensions=self._dimensions, where=where)
            rows = await self._postgres.fetch(sql, vector, model, limit, *values)
        else:
            sql = _APPROXIMATE.format(dimensions=self._dimensions, where=where)
            rows = await self._approximate(sql, limit, vector, model, limit, *values)
        found = [Candidate((row["id"], row["published_at"]), row["similarity"]) for row in rows]
        # The cosine of a zero vector (a text without a known word) is no number.
        return [candidate for candidate in found if math.isfinite(candidate.value)]

    async def _are_few(self, filters: Filters) -> bool:
        where, values = _where(filters, first=2)
        count = await self._postgres.fetchval(_COUNT.format(where=where), self._exact_rows + 1, *values)
        return bool(count <= self._exact_rows)

    async def _approximate(self, sql: str, limit: int, *values: Any) -> list[Any]:
        effort = str(min(1000, max(100, 4 * limit)))
        async with self._postgres.transaction() as connection:
            await connection.execute(
                "SELECT set_config('hnsw.ef_search', $1, true), "
                "set_config('hnsw.iterative_scan', 'relaxed_order', true)",
                effort,
            )
            rows: list[Any] = await connection.fetch(sql, *values)
            return rows

    async def documents(self, keys: Sequence[Key]) -> dict[Key, Document]:
        """Return the documents with these keys; those erased meanwhile are missing."""
        sql = (
            f"SELECT {COLUMNS} FROM unnest($1::text[], $2::timestamptz[]) AS k(id, published_at) "
            "JOIN documents d ON d.id = k.id AND d.published_at = k.published_at"
        )
        rows = await self._postgres.fetch(sql, *keys_of(keys))
        return {(row["id"], row["published_at"]): Document(**row) for row in rows}

    async def ensure_indexes(self) -> int:
        """Give each partition that outgrew exact comparison its vector index; return how many have one.

        Built concurrently, so reads and writes go on. An index of another dimension, or one that a crash
        left half-built, is dropped.
        """
        indexed = 0
        for row in await self._postgres.fetch(_PARTITIONS):
            wanted = f"{row['name']}_hnsw_{self._dimensions}"
            for name in [*row["broken"], *(name for name in row["valid"] if name != wanted)]:
                await self._without_limit(f'DROP INDEX CONCURRENTLY IF EXISTS "{name}"')
            if wanted not in row["valid"] and await self._outgrew(row["name"]):
                await self._build(row["name"], wanted)
                indexed += 1
            else:
                indexed += wanted in row["valid"]
        return indexed

    async def _outgrew(self, partition: str) -> bool:
        sql = f'SELECT count(*) FROM (SELECT 1 FROM "{partition}" WHERE vector_dims(embedding) = $1 LIMIT $2) AS c'
        count = await self._postgres.fetchval(sql, self._dimensions, self._exact_rows + 1)
        return bool(count > self._exact_rows)

    async def _build(self, partition: str, name: str) -> None:
        log.info("vector_index_begun", partition=partition, index=name)
        await self._without_limit(
            f'CREATE INDEX CONCURRENTLY "{name}" ON "{partition}" '
            f"USING hnsw ((embedding::halfvec({self._dimensions})) halfvec_cosine_ops) "
            f"WHERE vector_dims(embedding) = {self._dimensions}"
        )
        log.info("vector_index_built", partition=partition, index=name)

    async def _without_limit(self, sql: str) -> None:
        async with self._postgres.connection() as connection:
            await connection.execute(sql, timeout=6 * 3600)


def _enough(terms: Sequence[tuple[str, int]], limit: int) -> list[str]:
    """Return the terms (rarest first) that find at least ``limit`` and at most about ``MATCHES`` documents."""
    chosen: list[str] = []
    matches = 0
    for term, documents in terms:
        if matches >= limit and matches + documents > MATCHES:
            break
        chosen.append(term)
        matches += documents
    return chosen


def _where(filters: Filters, *, first: int) -> tuple[str, list[Any]]:
    # Only what is asked for stands in the statement, so that each combination gets the plan it deserves.
    author = None if filters.author is None else filters.author.removeprefix("@").lower()
    conditions = (
        ("d.published_at <= {}", filters.as_of),
        ("d.source = {}", filters.source),
        ("lower(d.author) = {}", author),
        ("d.entities @> ARRAY[{}::text]", filters.entity),
        ("d.published_at >= {}", filters.since),
        ("d.published_at < {}", filters.until),
    )
    given = [(sql, value) for sql, value in conditions if value is not None]
    texts = [sql.format(f"${number}") for number, (sql, _) in enumerate(given, first)]
    return " AND ".join(texts), [value for _, value in given]
