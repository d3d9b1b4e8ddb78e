"""SQL of the two searches: by words and by meaning."""

from __future__ import annotations

import math
from collections.abc import Sequence
from types import MappingProxyType

import asyncpg

from castor_chassis import Postgres
from rag_service.documents.access_repository import accessing
from rag_service.documents.model import NOBODY, Access, Document, Key
from rag_service.documents.repository import COLUMNS
from rag_service.embeddings.model import Space
from rag_service.retrieval.common_words_repository import CommonWords
from rag_service.retrieval.model import Candidate, Filters
from rag_service.text.normal import searchable

COMMON = 4_000
"""The documents of a lexeme are counted up to this number; one that more documents hold weighs little."""
MATCHES = 5_000
"""About this many documents are scored: those with the rarest words; common words only add to their score."""
NEWEST = 2_000
"""Where every word is common, so many are scored, the newest: to look for more takes longer than it brings."""
MAX_TERMS = 16
"""Only this many lexemes of a question, the rarest, are searched."""

_TERMS = f"""
SELECT rag_term(t.lexeme)::text AS term, n.documents
FROM unnest(rag_lexemes($1)) AS t
CROSS JOIN LATERAL (
    SELECT coalesce(($4::jsonb ->> t.lexeme)::bigint, (
        SELECT count(*) FROM (
            SELECT 1 FROM readable_documents d
            WHERE d.lexemes @@ rag_term(t.lexeme) AND d.published_at <= $2 AND d.tenant IN ('', $3) LIMIT {COMMON}
        ) AS counted
    )) AS documents
) AS n
WHERE n.documents > 0
ORDER BY n.documents, term LIMIT {MAX_TERMS}
"""

_LEXICAL = """
WITH terms AS MATERIALIZED (
    SELECT term::tsquery AS term, weight FROM unnest($1::text[], $2::float8[]) AS t(term, weight)
), matches AS (
    SELECT d.id, d.published_at, d.lexemes, d.embedding IS NOT NULL AS embedded FROM readable_documents d
    WHERE d.lexemes @@ ($3::text)::tsquery AND {where}
    ORDER BY d.published_at DESC LIMIT {newest}
)
SELECT m.id, m.published_at, m.embedded,
       (SELECT sum(t.weight * ts_rank(m.lexemes, t.term, 1)) FROM terms t) AS score
FROM matches m
ORDER BY score DESC, m.published_at DESC, m.id LIMIT $4
"""

_FREQUENCIES = f"""
SELECT w.word, n.documents FROM unnest($1::text[]) AS w(word) CROSS JOIN LATERAL (
    SELECT CASE WHEN EXISTS (SELECT 1 FROM unnest(rag_lexemes(w.word)) AS t WHERE $2::jsonb ? t.lexeme) THEN {COMMON}
    ELSE (
        SELECT count(*) FROM (
            SELECT 1 FROM readable_documents d
            WHERE {{where}} AND d.lexemes @@ (
                SELECT string_agg(rag_term(t.lexeme)::text, ' | ') FROM unnest(rag_lexemes(w.word)) AS t
            )::tsquery LIMIT {COMMON}
        ) AS counted
    ) END AS documents
) AS n
"""

_COPIES = """
SELECT d.words_hash, count(*) AS documents FROM readable_documents d
WHERE d.words_hash = ANY($1::text[]) AND {where} GROUP BY d.words_hash
"""

_VECTORS = """
SELECT d.id, d.published_at, d.embedding::vector::real[] AS vector
FROM unnest($1::text[], $2::timestamptz[]) AS k(id, published_at)
JOIN readable_documents d ON d.id = k.id AND d.published_at = k.published_at
WHERE vector_dims(d.embedding) = $3 AND d.embedding_model = (SELECT s.model FROM embedding_space s)
  AND d.tenant IN ('', $4)
"""

# Only what has a vector can be compared. What was refused has none; it is named so that the index is used.
_OF_MODEL = "d.embedding_model = $2 AND NOT d.embedding_refused"
_COUNT = (
    f"SELECT count(*) FROM (SELECT 1 FROM readable_documents d WHERE {_OF_MODEL} AND {{where}} LIMIT $1) AS counted"
)

# The bare column matches no index, which are on the cast: every candidate is compared.
_EXACT = f"""
SELECT id, published_at, 1 - distance AS similarity FROM (
    SELECT d.id, d.published_at, d.embedding <=> $1::real[]::halfvec AS distance FROM readable_documents d
    WHERE {_OF_MODEL} AND vector_dims(d.embedding) = {{dimensions}} AND {{where}}
    ORDER BY distance LIMIT $3
) AS nearest
ORDER BY distance, id
"""

# The index yields its neighbours nearly in order. All are taken before they are sorted, which the planner would
# otherwise leave out; and of four times as many as are asked for the nearest, so that a filter leaves enough.
_APPROXIMATE = f"""
WITH nearest AS MATERIALIZED (
    SELECT d.id, d.published_at,
           d.embedding::halfvec({{dimensions}}) <=> $1::real[]::halfvec({{dimensions}}) AS distance
    FROM readable_documents d
    WHERE {_OF_MODEL} AND vector_dims(d.embedding) = {{dimensions}} AND {{where}}
    ORDER BY d.embedding::halfvec({{dimensions}}) <=> $1::real[]::halfvec({{dimensions}})
    LIMIT greatest(100, 4 * $3::integer)
)
SELECT id, published_at, 1 - distance AS similarity FROM nearest ORDER BY distance + 0, id LIMIT $3
"""


_EFFORT = "SELECT set_config('hnsw.ef_search', $1, true), set_config('hnsw.iterative_scan', 'relaxed_order', true)"
_SPACES = "SELECT model, dimensions, previous_model, previous_dimensions FROM embedding_space"
_ANY = "SELECT EXISTS (SELECT 1 FROM readable_documents d WHERE d.tenant IN ('', $2) AND {column} @> ARRAY[$1::text])"
_COLUMN_OF = MappingProxyType({"entity": "d.entities", "place": "d.places", "axis": "d.axes", "dataset": "d.datasets"})


class SearchRepository:
    """Finds documents; up to ``exact_rows`` candidates are compared one by one, more through the HNSW indexes.

    A filter that leaves few rows makes an approximate index useless: its nearest neighbours are mostly
    filtered out (recall .05 at 1 % selectivity, measured), while comparing those few is both exact and fast.
    So candidates are counted first, up to the limit.
    """

    def __init__(self, postgres: Postgres, *, dimensions: int, exact_rows: int) -> None:
        self._postgres = postgres
        self._dimensions = dimensions
        self._exact_rows = exact_rows
        self._common = CommonWords(postgres, COMMON + COMMON // 4)

    async def lexical(self, query: str, filters: Filters, limit: int) -> list[Candidate]:
        """Return the documents with the rarest words of ``query``, best first.

        Score: sum over lexemes of ln(1 + 4000 / documents with it) * ts_rank, which saturates with
        frequency and is divided by 1 + ln(length): an approximation of BM25 with functions of PostgreSQL.
        """
        common = await self._common.at(filters.as_of)
        asked = (searchable(query), filters.as_of, filters.access.tenant, common)
        terms = [(row["term"], row["documents"]) for row in await self._fetch(filters.access, _TERMS, *asked)]
        if not terms:
            return []
        if terms[0][1] < COMMON:
            return await self._scored(terms, " | ".join(_enough(terms, limit)), filters, limit, 2 * MATCHES)
        return await self._of_common_words(terms, filters, limit)

    async def _of_common_words(self, terms: Sequence[tuple[str, int]], filters: Filters, limit: int) -> list[Candidate]:
        """Every word is common: rather the documents that hold the two rarest than the newest of one, lately first."""
        known = await self._common.at(filters.as_of)
        lately = filters.from_then_on(await self._common.time_of_newest(NEWEST, terms[0][1]) if known else None)
        both, rarest = " & ".join(term for term, _ in terms[:2]), terms[0][0]
        found: dict[Key, Candidate] = {}
        for matching, within in dict.fromkeys(((both, lately), (both, filters), (rarest, lately), (rarest, filters))):
            more = await self._scored(terms, matching, within, limit, NEWEST)
            found |= {candidate.key: candidate for candidate in more}
            if len(found) >= limit:
                break
        by_id = sorted(found.values(), key=lambda one: one.key[0])
        return sorted(by_id, key=lambda one: (one.value, one.key[1]), reverse=True)[:limit]

    async def _scored(
        self, terms: Sequence[tuple[str, int]], matching: str, filters: Filters, limit: int, newest: int
    ) -> list[Candidate]:
        weights = [math.log1p(COMMON / min(COMMON, documents)) for _, documents in terms]
        where, values = _where(filters, first=5)
        names = [term for term, _ in terms]
        sql = _LEXICAL.format(where=where, newest=newest)
        rows = await self._fetch(filters.access, sql, names, weights, matching, limit, *values)
        return [Candidate((row["id"], row["published_at"]), row["score"], row["embedded"]) for row in rows]

    async def unknown(self, filters: Filters) -> tuple[str, str] | None:
        """Return the first filter of an entity, place, axis or data set that no document has, with its value."""
        for kind, column in _COLUMN_OF.items():
            name: str | None = getattr(filters, kind)
            if name is not None:
                rows = await self._fetch(filters.access, _ANY.format(column=column), name, filters.access.tenant)
                if not rows[0]["exists"]:
                    return kind, name
        return None

    async def spaces(self) -> list[Space]:
        """Return the spaces in which documents have vectors: one, two while they are embedded anew, none at first."""
        row = await self._postgres.fetchrow(_SPACES)
        if row is None:
            return []
        before = [Space(row["previous_model"], row["previous_dimensions"])] if row["previous_model"] else []
        return [Space(row["model"], row["dimensions"]), *before]

    async def dense(self, vector: list[float], model: str, filters: Filters, limit: int) -> list[Candidate]:
        """Return the documents nearest to ``vector`` among those that ``model`` embedded, nearest first."""
        where, values = _where(filters, first=4)
        async with accessing(self._postgres, filters.access) as connection:
            statement = _EXACT
            if not await self._are_few(connection, model, filters):
                statement = _APPROXIMATE
                await connection.execute(_EFFORT, str(min(1000, max(200, 4 * limit))))
            sql = statement.format(dimensions=len(vector), where=where)
            rows = await connection.fetch(sql, vector, model, limit, *values)
        found = [Candidate((row["id"], row["published_at"]), row["similarity"]) for row in rows]
        # The cosine of a zero vector (a text without a known word) is no number.
        return [candidate for candidate in found if math.isfinite(candidate.value)]

    async def _are_few(self, connection: asyncpg.Connection, model: str, filters: Filters) -> bool:
        where, values = _where(filters, first=3)
        count = await connection.fetchval(_COUNT.format(where=where), self._exact_rows + 1, model, *values)
        return bool(count <= self._exact_rows)

    async def _fetch(self, access: Access, sql: str, *values: object) -> list[asyncpg.Record]:
        async with accessing(self._postgres, access) as connection:
            rows: list[asyncpg.Record] = await connection.fetch(sql, *values)
            return rows

    async def frequencies(self, words: Sequence[str], filters: Filters) -> dict[str, int]:
        """Return in how many documents that match ``filters`` each word stands, counted up to 4,000."""
        where, values = _where(filters, first=3)
        common = {} if filters.narrow else await self._common.at(filters.as_of)
        rows = await self._fetch(filters.access, _FREQUENCIES.format(where=where), list(words), common, *values)
        return {row["word"]: row["documents"] for row in rows}

    async def copies(self, hashes: Sequence[str | None], filters: Filters) -> dict[str | None, int]:
        """Return how many documents that match ``filters`` have each of these words hashes."""
        where, values = _where(filters, first=2)
        sql = _COPIES.format(where=where)
        rows = await self._fetch(filters.access, sql, [name for name in hashes if name], *values)
        return {row["words_hash"]: row["documents"] for row in rows}

    async def vectors(self, keys: Sequence[Key], access: Access = NOBODY) -> dict[Key, list[float]]:
        """Return the vectors of the documents with these keys that have one of the model in use."""
        ids, times = [key[0] for key in keys], [key[1] for key in keys]
        rows = await self._fetch(access, _VECTORS, ids, times, self._dimensions, access.tenant)
        return {(row["id"], row["published_at"]): row["vector"] for row in rows}

    async def documents(self, keys: Sequence[Key], access: Access = NOBODY) -> dict[Key, Document]:
        """Return the documents with these keys; those erased meanwhile are missing."""
        sql = (
            f"SELECT {COLUMNS} FROM unnest($1::text[], $2::timestamptz[]) AS k(id, published_at) "
            "JOIN readable_documents d ON d.id = k.id AND d.published_at = k.published_at AND d.tenant IN ('', $3)"
        )
        rows = await self._fetch(access, sql, [key[0] for key in keys], [key[1] for key in keys], access.tenant)
        return {(row["id"], row["published_at"]): Document(**row) for row in rows}


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


def _where(filters: Filters, *, first: int) -> tuple[str, list[object]]:
    # Only the given filters stand in the statement, so that each combination gets a plan of its own.
    author = None if filters.author is None else filters.author.removeprefix("@").lower()
    conditions = (
        ("d.published_at <= {}", filters.as_of),
        ("d.source = {}", filters.source),
        ("lower(d.author) = {}", author),
        ("d.entities @> ARRAY[{}::text]", filters.entity),
        ("d.published_at >= {}", filters.since),
        ("d.published_at < {}", filters.until),
        ("d.axes @> ARRAY[{}::text]", filters.axis),
        ("d.places @> ARRAY[{}::text]", filters.place),
        ("d.metadata ->> 'label' = {}", filters.sentiment),
        ("d.datasets @> ARRAY[{}::text]", filters.dataset),
    )
    given = [(sql, value) for sql, value in conditions if value is not None]
    # Row level security decides who reads what; the organisation stands here as well, so that its index is used.
    given.append(("d.tenant IN ('', {})", filters.access.tenant))
    texts = [sql.format(f"${number}") for number, (sql, _) in enumerate(given, first)]
    return " AND ".join(texts), [value for _, value in given]
