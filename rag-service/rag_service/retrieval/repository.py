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
from rag_service.retrieval.conditions_repository import where_of
from rag_service.retrieval.model import Candidate, Filters
from rag_service.retrieval.vector_search_repository import VectorSearch
from rag_service.text.normal import searchable

COMMON = 4_000
"""The documents of a lexeme are counted up to this number; one that more documents hold weighs little."""
MATCHES = 5_000
"""About this many documents are scored: those with the rarest words; common words only add to their score."""
NEWEST = 2_000
"""Where every word is common, so many are scored, the newest: to look for more takes longer than it brings."""
MAX_TERMS = 16
"""Only this many lexemes of a question, the rarest, are searched."""

# Materialized, so that a word is counted once, and not for the condition again. What an organisation has is counted
# apart, since it is told to no other.
_TERMS = f"""
WITH counted AS MATERIALIZED (
    SELECT t.lexeme, coalesce(($4::jsonb ->> t.lexeme)::bigint, (
        SELECT count(*) FROM (
            SELECT 1 FROM documents d
            WHERE d.lexemes @@ rag_term(t.lexeme) AND d.published_at <= $2 LIMIT {COMMON}
        ) AS found
    )) AS shared, (
        SELECT count(*) FROM (
            SELECT 1 FROM tenant_documents d
            WHERE d.lexemes @@ rag_term(t.lexeme) AND d.published_at <= $2 AND d.tenant = $3 LIMIT {COMMON}
        ) AS found
    ) AS own
    FROM unnest(rag_lexemes($1)) AS t
)
SELECT lexeme, rag_term(lexeme)::text AS term, shared, shared + own AS documents FROM counted
WHERE shared + own > 0 ORDER BY documents, term LIMIT {MAX_TERMS}
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

_ALIKE = """
SELECT d.{column} AS value, count(*) AS documents FROM readable_documents d
WHERE d.{column} = ANY($1::text[]) AND {where} GROUP BY d.{column}
"""

_AUTHORS = """
SELECT a.author FROM unnest($1::text[]) AS n(name) CROSS JOIN LATERAL (
    SELECT d.author FROM readable_documents d WHERE lower(d.author) = n.name AND {where} LIMIT 1
) AS a
"""

_VECTORS = """
SELECT d.id, d.published_at, d.embedding::vector::real[] AS vector
FROM unnest($1::text[], $2::timestamptz[]) AS k(id, published_at)
JOIN readable_documents d ON d.id = k.id AND d.published_at = k.published_at
WHERE vector_dims(d.embedding) = $3 AND d.embedding_model = (SELECT s.model FROM embedding_space s)
  AND d.tenant IN ('', $4)
"""

_SPACES = "SELECT model, dimensions, previous_model, previous_dimensions FROM embedding_space"
_ANY = "SELECT EXISTS (SELECT 1 FROM readable_documents d WHERE d.tenant IN ('', $2) AND {column} @> ARRAY[$1::text])"
_COLUMN_OF = MappingProxyType({"entity": "d.entities", "place": "d.places", "axis": "d.axes", "dataset": "d.datasets"})


class SearchRepository:
    """Finds documents; ``exact_rows``: see ``VectorSearch``."""

    def __init__(self, postgres: Postgres, *, dimensions: int, exact_rows: int) -> None:
        self._postgres = postgres
        self._dimensions = dimensions
        self._common = CommonWords(postgres, COMMON + COMMON // 4)
        self._vectors = VectorSearch(postgres, exact_rows, self._common)

    async def lexical(self, query: str, filters: Filters, limit: int) -> list[Candidate]:
        """Return the documents with the rarest words of ``query``, best first.

        Score: sum over lexemes of ln(1 + 4000 / documents with it) * ts_rank, which saturates with
        frequency and is divided by 1 + ln(length): an approximation of BM25 with functions of PostgreSQL.
        """
        # Before: whoever holds a connection must not wait for a second one.
        known = await self._common.counts(filters.as_of)
        async with accessing(self._postgres, filters.access) as connection:
            asked = (searchable(query), filters.as_of, filters.access.tenant, known)
            rows = await connection.fetch(_TERMS, *asked)
            self._common.keep(filters.as_of, {row["lexeme"]: row["shared"] for row in rows})
            terms = [(row["term"], row["documents"]) for row in rows]
            if not terms:
                return []
            if terms[0][1] < COMMON:
                return await _of_rare_words(connection, terms, filters, limit)
        return await self._of_common_words(terms, filters, limit)

    async def _of_common_words(self, terms: Sequence[tuple[str, int]], filters: Filters, limit: int) -> list[Candidate]:
        """Every word is common: rather the documents that hold the two rarest than the newest of one, lately first."""
        known = await self._common.at(filters.as_of)
        lately = filters.from_then_on(await self._common.time_of_newest(NEWEST, terms[0][1]) if known else None)
        both, rarest = " & ".join(term for term, _ in terms[:2]), terms[0][0]
        found: dict[Key, Candidate] = {}
        tries = ((both, lately), (both, filters), (rarest, lately), (rarest, filters), (_any_of(terms), filters))
        for matching, within in dict.fromkeys(tries):
            async with accessing(self._postgres, filters.access) as connection:
                more = await _scored(connection, terms, matching, within, limit, NEWEST)
            found |= {candidate.key: candidate for candidate in more}
            if len(found) >= limit:
                break
        by_id = sorted(found.values(), key=lambda one: one.key[0])
        return sorted(by_id, key=lambda one: (one.value, one.key[1]), reverse=True)[:limit]

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
        return await self._vectors.nearest(vector, model, filters, limit)

    async def _fetch(self, access: Access, sql: str, *values: object) -> list[asyncpg.Record]:
        async with accessing(self._postgres, access) as connection:
            rows: list[asyncpg.Record] = await connection.fetch(sql, *values)
            return rows

    async def frequencies(self, words: Sequence[str], filters: Filters) -> dict[str, int]:
        """Return in how many documents that match ``filters`` each word stands, counted up to 4,000."""
        where, values = where_of(filters, first=3)
        common = {} if filters.narrow else await self._common.at(filters.as_of)
        rows = await self._fetch(filters.access, _FREQUENCIES.format(where=where), list(words), common, *values)
        return {row["word"]: row["documents"] for row in rows}

    async def authors(self, names: Sequence[str], filters: Filters) -> list[str]:
        """Return which of ``names``, in lower case, wrote a document that matches ``filters``, as they are stored."""
        if not names:
            return []
        where, values = where_of(filters, first=2)
        rows = await self._fetch(filters.access, _AUTHORS.format(where=where), list(names), *values)
        return [row["author"] for row in rows]

    async def copies(self, hashes: Sequence[str | None], filters: Filters) -> dict[str | None, int]:
        """Return how many documents that match ``filters`` have each of these words hashes."""
        return await self._alike("words_hash", hashes, filters)

    async def conversations(self, names: Sequence[str | None], filters: Filters) -> dict[str | None, int]:
        """Return how many documents that match ``filters`` each of these conversations has."""
        return await self._alike("conversation", names, filters)

    async def _alike(self, column: str, wanted: Sequence[str | None], filters: Filters) -> dict[str | None, int]:
        named = [value for value in wanted if value]
        if not named:
            return {}
        where, values = where_of(filters, first=2)
        rows = await self._fetch(filters.access, _ALIKE.format(column=column, where=where), named, *values)
        return {row["value"]: row["documents"] for row in rows}

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


async def _of_rare_words(
    connection: asyncpg.Connection, terms: Sequence[tuple[str, int]], filters: Filters, limit: int
) -> list[Candidate]:
    """Return what holds the rarest words; where filters leave too little of that, what holds any of all."""
    rarest = _enough(terms, limit)
    found = await _scored(connection, terms, " | ".join(rarest), filters, limit, 2 * MATCHES)
    if len(found) >= limit or len(rarest) == len(terms):
        return found
    return await _scored(connection, terms, _any_of(terms), filters, limit, 2 * MATCHES)


async def _scored(
    connection: asyncpg.Connection,
    terms: Sequence[tuple[str, int]],
    matching: str,
    filters: Filters,
    limit: int,
    newest: int,
) -> list[Candidate]:
    weights = [math.log1p(COMMON / min(COMMON, documents)) for _, documents in terms]
    where, values = where_of(filters, first=5)
    names = [term for term, _ in terms]
    sql = _LEXICAL.format(where=where, newest=newest)
    rows = await connection.fetch(sql, names, weights, matching, limit, *values)
    return [Candidate((row["id"], row["published_at"]), row["score"], row["embedded"]) for row in rows]


def _any_of(terms: Sequence[tuple[str, int]]) -> str:
    return " | ".join(term for term, _ in terms)


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
