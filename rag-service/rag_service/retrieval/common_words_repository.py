"""SQL that tells which words very many documents hold, without counting them: from the statistics of PostgreSQL."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import datetime

from castor_chassis import Postgres

_KEPT_SECONDS = 60.0
KEPT_FROM, MOST_KEPT = 100, 500
"""Of so many words at most the count is kept that a search found, where it is no less: of rarer ones a document more
would be missed, and to count them is quick."""
# Of a tsvector the statistics hold the most common lexemes, with the share of rows that have each.
_COMMON = """
SELECT e.lexeme, sum(e.share * greatest(c.reltuples, 0))::bigint AS documents
FROM pg_inherits i
JOIN pg_class c ON c.oid = i.inhrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_stats s ON s.schemaname = n.nspname AND s.tablename = c.relname AND s.attname = 'lexemes'
CROSS JOIN LATERAL unnest(s.most_common_elems::text::text[], s.most_common_elem_freqs) AS e(lexeme, share)
WHERE i.inhparent = 'documents'::regclass AND e.lexeme IS NOT NULL
GROUP BY e.lexeme HAVING sum(e.share * greatest(c.reltuples, 0)) >= $1
"""
_TIME_OF_NEWEST = "SELECT published_at FROM documents ORDER BY published_at DESC OFFSET $1 LIMIT 1"
_ROWS = """
SELECT sum(greatest(c.reltuples, 0))::bigint FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
WHERE i.inhparent = 'documents'::regclass
"""


class CommonWords:
    """The lexemes that at least ``least`` of the feed's documents hold, by PostgreSQL's last look at its tables.

    To count such a lexeme takes as long as a search; that it is common is all that a search needs to know.
    """

    def __init__(self, postgres: Postgres, least: int) -> None:
        self._postgres = postgres
        self._least = least
        self._until = 0.0
        self._newest: datetime | None = None
        self._found: Mapping[str, int] = {}
        self._rows = 0
        self._times: dict[int, datetime | None] = {}
        self._counted: dict[str, int] = {}

    async def at(self, as_of: datetime) -> Mapping[str, int]:
        """Return lexeme -> about how many documents; nothing for a time before the newest documents.

        What was common then is counted: the statistics know only today.
        """
        await self._look()
        return self._found if self._is_today(as_of) else {}

    async def counts(self, as_of: datetime) -> Mapping[str, int]:
        """Return what ``at`` does, and the counts that searches of the last minute found."""
        common = await self.at(as_of)
        return {**self._counted, **common} if self._is_today(as_of) else common

    def keep(self, as_of: datetime, counts: Mapping[str, int]) -> None:
        """Keep how many of the feed's documents hold each lexeme, for searches of the same minute."""
        if self._is_today(as_of):
            often = {lexeme: count for lexeme, count in counts.items() if count >= KEPT_FROM}
            self._counted |= dict(list(often.items())[: MOST_KEPT - len(self._counted)])

    def _is_today(self, as_of: datetime) -> bool:
        return self._newest is not None and as_of >= self._newest

    async def documents(self) -> int:
        """Return about how many documents of the feed there are."""
        await self._look()
        return self._rows

    async def _look(self) -> None:
        if time.monotonic() > self._until:
            rows = await self._postgres.fetch(_COMMON, self._least)
            self._found = {row["lexeme"]: row["documents"] for row in rows}
            self._rows = await self._postgres.fetchval(_ROWS) or 0
            # A thousandth may lie beyond: one tweet that says to be of tomorrow must not change how today is searched.
            self._newest = await self._postgres.fetchval(_TIME_OF_NEWEST, max(0, self._rows) // 1000)
            self._times, self._counted = {}, {}
            self._until = time.monotonic() + _KEPT_SECONDS

    async def time_of_newest(self, count: int, documents: int) -> datetime | None:
        """Return since when about ``count`` of the ``documents`` that hold a word were published; None: since ever.

        As if a word was always as common as it is on the whole.
        """
        among = count * self._rows // max(1, documents)
        # By powers of two, so that few are looked up.
        rounded = 1 << among.bit_length()
        if rounded not in self._times:
            self._times[rounded] = await self._postgres.fetchval(_TIME_OF_NEWEST, rounded)
        return self._times[rounded]
