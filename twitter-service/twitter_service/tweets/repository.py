"""Tweets in PostgreSQL. Every method raises ``DatabaseUnavailable`` while PostgreSQL is away."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from castor_chassis import Postgres
from twitter_service.tweets.batch import Batch
from twitter_service.tweets.erasure_repository import erase, retweets_of
from twitter_service.tweets.feed_repository import lock_feed
from twitter_service.tweets.records import StoredTweet, TweetFilter, TweetVersion
from twitter_service.tweets.search_syntax import Search, Words
from twitter_service.tweets.upsert_repository import Added, upsert

MOST_RETWEETS = 1_000
"""Erased at a time with their original: other writers wait as long as for a piece of an import."""
Within = Callable[[Any, Added], Awaitable[None]]
"""Called with the connection of a transaction and what it has added, before the commit."""

# An author that is not assessed yet counts as unknown: 0.5.
_SELECT = """
SELECT t.id, t.username, t.author_id, t.created_at, t.text, t.lang, t.metrics, t.import_id,
       t.version_id, t.retweet_of, t.conversation_id, t.reply_to,
       coalesce(t.axes, '{}') AS axes, coalesce(t.places, '{}') AS places, t.place_source,
       t.positive, t.neutral, t.negative, t.label, t.model, coalesce(t.datasets, '{}') AS datasets,
       ARRAY(SELECT e.entity_id FROM tweet_entities e WHERE e.tweet_id = t.id ORDER BY e.entity_id) AS entities,
       (SELECT count(*) FROM retweets r WHERE r.original_id = t.id AND NOT r.deleted) AS retweets,
       (SELECT count(*) FROM tweet_versions v WHERE v.tweet_id = t.id) AS earlier_versions,
       coalesce(a.score, 0.5) AS credibility,
       (SELECT coalesce(jsonb_agg(jsonb_build_object('entity', e.entity_id, 'label', e.label, 'positive', e.positive,
               'neutral', e.neutral, 'negative', e.negative, 'basis', e.basis, 'model', e.model) ORDER BY e.entity_id),
               '[]') FROM tweet_entities e WHERE e.tweet_id = t.id AND e.label IS NOT NULL) AS towards,
       ARRAY(SELECT p.entity_id || ':' || coalesce(p.towards, p.of_text) FROM counted_pairs p
             WHERE p.tweet_id = t.id AND coalesce(p.towards, p.of_text) IS NOT NULL ORDER BY p.entity_id) AS counted_as
FROM tweets t LEFT JOIN authors a ON a.key = coalesce(t.author_id, '@' || lower(t.username))
"""


@dataclass
class _Conditions:
    """Conditions of a WHERE clause, and the arguments that they number."""

    parts: list[str] = field(default_factory=lambda: ["NOT t.deleted"])
    args: list[Any] = field(default_factory=list)

    def add(self, condition: str, *values: Any) -> None:
        if any(value is None for value in values):
            return
        numbers = [f"${len(self.args) + offset}" for offset in range(1, len(values) + 1)]
        self.parts.append(condition.format(*numbers))
        self.args.extend(values)


class TweetRepository:
    """Stores, lists and erases tweets."""

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres

    async def add(self, batch: Batch, source: str, within: Within | None = None) -> Added | None:
        """Store what is new of ``batch`` and bring up to date what is not; return how many.

        None, and nothing is stored, when the entities changed since the batch was matched. ``source`` is the id of
        the import or search that brought it; ``within`` is called in the same transaction.
        """
        async with self._postgres.transaction() as connection:
            head, revision = await lock_feed(connection)
            if revision != batch.revision:
                return None
            added = await upsert(connection, batch, source, head)
            if within:
                await within(connection, added)
            return added

    async def get(self, tweet_id: int) -> StoredTweet | None:
        """Return one tweet, or None."""
        row = await self._postgres.fetchrow(f"{_SELECT} WHERE t.id = $1 AND NOT t.deleted", tweet_id)
        return None if row is None else StoredTweet(*row)

    async def versions(self, tweet_id: int) -> list[TweetVersion]:
        """Return the texts that edits of a tweet have replaced, oldest first."""
        sql = "SELECT version_id, created_at, text FROM tweet_versions WHERE tweet_id = $1 ORDER BY version_id"
        return [TweetVersion(*row) for row in await self._postgres.fetch(sql, tweet_id)]

    async def find(self, filters: TweetFilter) -> list[StoredTweet]:
        """Return tweets, newest first."""
        # With an entity the time is read from its own index, which is the shorter one.
        time, key = ("e.created_at", "e.tweet_id") if filters.entity else ("t.created_at", "t.id")
        where = _conditions(filters, time, key)
        join = "JOIN tweet_entities e ON e.tweet_id = t.id" if filters.entity else ""
        join += " JOIN tweet_search w ON w.tweet_id = t.id" if filters.q else ""
        sql = (
            f"{_SELECT} {join} WHERE {' AND '.join(where.parts)} ORDER BY {time} DESC, {key} DESC LIMIT {filters.limit}"
        )
        return [StoredTweet(*row) for row in await self._postgres.fetch(sql, *where.args)]

    async def erase(self, tweet_ids: Sequence[int]) -> list[int]:
        """Erase all that is known of these tweets but their ids, and return the ids that were stored.

        Their retweets, which hold their words, are erased as well: where there are many, before them and
        ``MOST_RETWEETS`` in a transaction. An erasure that was interrupted goes on when it is asked for again.
        """
        wanted = set(tweet_ids)
        while True:
            async with self._postgres.transaction() as connection:
                head, _ = await lock_feed(connection)
                repeating = await retweets_of(connection, tweet_ids, MOST_RETWEETS)
                if len(repeating) < MOST_RETWEETS:
                    erased = await erase(connection, [*tweet_ids, *repeating], head)
                    return [key for key in erased if key in wanted]
                await erase(connection, repeating, head)


def _conditions(filters: TweetFilter, time: str, key: str) -> _Conditions:
    """Return the conditions of a filter; ``time`` and ``key`` are the columns that order the list."""
    where = _Conditions()
    where.add("e.entity_id = {}", filters.entity)
    where.add("t.datasets @> ARRAY[{}::text]", filters.dataset)
    where.add("t.label = {}", filters.label)
    where.add("lower(t.username) = lower({})", filters.author)
    if filters.q is not None:
        where.parts.append(f"w.search @@ ({_tsquery(filters.q, where.args)})")
    where.add("{} = ANY(t.axes)", filters.axis)
    where.add("{} = ANY(t.places)", filters.place)
    where.add("t.lang = {}", filters.lang)
    where.add("coalesce(a.score, 0.5) >= {}", filters.min_credibility)
    where.add(f"{time} >= {{}}", filters.since)
    where.add(f"{time} < {{}}", filters.until)
    where.add(f"{time} <= {{}}", filters.as_of)
    where.add(f"({time}, {key}) < ({{}}, {{}})", *(filters.before or (None, None)))
    return where


def _tsquery(search: Search, args: list[Any]) -> str:
    """Return the expression of a search, and add its words to the arguments."""
    if isinstance(search, Words):
        args.append(search.text)
        return f"phraseto_tsquery('castor_es', ${len(args)})"
    parts = [_tsquery(part, args) for part in search.parts]
    if search.operator == "NOT":
        return f"!!({parts[0]})"
    return f"({(' || ' if search.operator == 'OR' else ' && ').join(parts)})"
