"""Tweets, their scores and the feed in PostgreSQL.

Every method raises the chassis's ``DatabaseUnavailable`` while PostgreSQL is away. Whoever writes locks the
row of ``feed_state`` first (see the migration), so change numbers become visible in their order.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from castor_chassis import Postgres
from twitter_service.tweets.batch import Batch
from twitter_service.tweets.erasure_repository import erase
from twitter_service.tweets.upsert_repository import Added, affected, take_in

Row = dict[str, Any]
Within = Callable[[Any, Added], Awaitable[None]]
# Writers name hundreds of ids. A plan that is kept from when a partition was small scans it as it grows, so each
# statement of a writer is planned for what is there.
_LOCK_STATE = """
SELECT head, entity_revision, set_config('plan_cache_mode', 'force_custom_plan', true) FROM feed_state FOR UPDATE
"""

_TWEET = """
SELECT t.id, t.username, t.author_id, t.created_at, t.text, t.lang, t.metrics, t.import_id, t.deleted, t.change_seq,
       t.version_id, t.observed_at, t.retweet_of, coalesce(t.axes, '{}') AS axes,
       coalesce(t.places, '{}') AS places, t.place_source,
       t.positive, t.neutral, t.negative, t.label, t.model, t.scored_at,
       ARRAY(SELECT e.entity_id FROM tweet_entities e WHERE e.tweet_id = t.id ORDER BY e.entity_id) AS entities
FROM tweets t
"""

# What a list shows beyond the feed. An author that is not assessed yet counts as unknown: 0.5.
_LISTED = _TWEET.replace(
    "FROM tweets t",
    """, (SELECT count(*) FROM retweets r WHERE r.original_id = t.id AND NOT r.deleted) AS retweets,
       (SELECT count(*) FROM tweet_versions v WHERE v.tweet_id = t.id) AS earlier_versions,
       coalesce(a.score, 0.5) AS credibility,
       (SELECT coalesce(jsonb_agg(jsonb_build_object('entity', e.entity_id, 'label', e.label, 'positive', e.positive,
               'neutral', e.neutral, 'negative', e.negative, 'basis', e.basis, 'model', e.model) ORDER BY e.entity_id),
               '[]') FROM tweet_entities e WHERE e.tweet_id = t.id AND e.label IS NOT NULL) AS towards
FROM tweets t LEFT JOIN authors a ON a.key = coalesce(t.author_id, '@' || lower(t.username))""",
)

_UNSCORED = """
SELECT t.id, t.text, t.lang, i.origin_request_id, i.origin_traceparent
FROM tweets t LEFT JOIN imports i ON i.id = t.import_id
WHERE t.needs_score AND t.id <> ALL($1::bigint[])
ORDER BY t.created_at, t.id LIMIT $2
"""

_SAVE_SCORES = """
WITH saved AS (
    UPDATE tweets t
    SET positive = s.positive, neutral = s.neutral, negative = s.negative, label = s.label, model = $6,
        scored_at = now(), needs_score = false, change_seq = $7 + s.number
    FROM unnest($1::bigint[], $2::float8[], $3::float8[], $4::float8[], $5::text[]) WITH ORDINALITY
         AS s(id, positive, neutral, negative, label, number)
    WHERE t.id = s.id AND t.id = ANY($1) AND t.needs_score
    RETURNING t.change_seq
)
SELECT count(*), max(change_seq) FROM saved
"""

# The head is the number of a change that exists, so that whoever has followed the feed to it has all.
_ADVANCE = "UPDATE feed_state SET head = coalesce($1, head)"


@dataclass(frozen=True)
class FeedState:
    """Where the feed stands."""

    head: int
    tweets: int
    scored: int
    unscorable: int
    search_behind: int
    oldest_pending_at: datetime | None
    oldest_pending_stored_at: datetime | None

    @property
    def feed_head(self) -> int:
        """Number of the newest change."""
        return self.head

    @property
    def pending(self) -> int:
        """Tweets that wait for their sentiment."""
        return self.tweets - self.scored - self.unscorable


@dataclass(frozen=True)
class Unscored:
    """A tweet that waits for its sentiment, and the request that brought it."""

    id: int
    text: str
    lang: str | None
    request_id: str | None
    traceparent: str | None


@dataclass(frozen=True)
class Scored:
    """Shares in [0, 1] for one tweet."""

    id: int
    positive: float
    neutral: float
    negative: float
    label: str


@dataclass(frozen=True)
class TweetFilter:
    """Which tweets to list; all conditions hold. ``before`` is the (created_at, id) where the last page ended."""

    entity: str | None = None
    label: str | None = None
    author: str | None = None
    q: str | None = None
    axis: str | None = None
    place: str | None = None
    lang: str | None = None
    min_credibility: float | None = None
    since: datetime | None = None
    until: datetime | None = None
    as_of: datetime | None = None
    before: tuple[datetime, int] | None = None
    limit: int = 50


@dataclass
class _Conditions:
    parts: list[str] = field(default_factory=lambda: ["NOT t.deleted"])
    args: list[Any] = field(default_factory=list)

    def add(self, condition: str, *values: Any) -> None:
        if any(value is None for value in values):
            return
        numbers = [f"${len(self.args) + offset}" for offset in range(1, len(values) + 1)]
        self.parts.append(condition.format(*numbers))
        self.args.extend(values)


async def lock_state(connection: Any) -> tuple[int, int]:
    """Make all other writers wait until commit; return the feed's head and the revision of the entities."""
    row = await connection.fetchrow(_LOCK_STATE)
    return row["head"], row["entity_revision"]


async def fetch_planned(postgres: Postgres, sql: str, *args: Any) -> list[Any]:
    """Fetch by a plan for what is stored now: a plan kept from when a table was empty sorts all of it every time."""
    async with postgres.transaction() as connection:
        await connection.execute("SET LOCAL plan_cache_mode = force_custom_plan")
        rows: list[Any] = await connection.fetch(sql, *args)
        return rows


class TweetStore:
    """Tweets and the feed."""

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres

    async def state(self) -> FeedState:
        """Return where the feed stands, without a scan of the tweets."""
        row = await self._postgres.fetchrow(
            "SELECT head, tweets, scored, unscorable, head - (SELECT through FROM search_state) AS search_behind, "
            "o.created_at AS oldest_pending_at, "
            "o.stored_at AS oldest_pending_stored_at FROM feed_state LEFT JOIN LATERAL "
            "(SELECT created_at, stored_at FROM tweets WHERE needs_score ORDER BY created_at, id LIMIT 1) o ON true"
        )
        assert row is not None
        return FeedState(**dict(row))

    async def add(self, batch: Batch, import_id: str, within: Within | None = None) -> Added | None:
        """Store what is new of ``batch`` and bring up to date what is not; return how many.

        None, and nothing is stored, when the entities changed. ``within`` is called in the same transaction.
        """
        async with self._postgres.transaction() as connection:
            head, revision = await lock_state(connection)
            if revision != batch.revision:
                return None
            added = await take_in(connection, batch, import_id, head)
            if within:
                await within(connection, added)
            return added

    async def feed(self, after: int, limit: int) -> list[Row]:
        """Return the latest change of each tweet that changed after number ``after``, in order of number."""
        sql = f"{_TWEET} WHERE t.change_seq > $1 ORDER BY t.change_seq LIMIT $2"
        return [dict(row) for row in await self._postgres.fetch(sql, after, limit)]

    async def tweet(self, tweet_id: int) -> Row | None:
        """Return one tweet, or None."""
        row = await self._postgres.fetchrow(f"{_LISTED} WHERE t.id = $1 AND NOT t.deleted", tweet_id)
        return None if row is None else dict(row)

    async def versions(self, tweet_id: int) -> list[Row]:
        """Return the texts that edits of a tweet have replaced, oldest first."""
        sql = "SELECT version_id, created_at, text FROM tweet_versions WHERE tweet_id = $1 ORDER BY version_id"
        return [dict(row) for row in await self._postgres.fetch(sql, tweet_id)]

    async def tweets(self, wanted: TweetFilter) -> list[Row]:
        """Return tweets, newest first."""
        where = _Conditions()
        where.add("e.entity_id = {}", wanted.entity)
        where.add("t.label = {}", wanted.label)
        where.add("lower(t.username) = lower({})", wanted.author)
        where.add("w.search @@ websearch_to_tsquery('castor_es', {})", wanted.q)
        where.add("{} = ANY(t.axes)", wanted.axis)
        where.add("{} = ANY(t.places)", wanted.place)
        where.add("t.lang = {}", wanted.lang)
        where.add("coalesce(a.score, 0.5) >= {}", wanted.min_credibility)
        # With an entity the time is read from its own index, which is the shorter one.
        time, key = ("e.created_at", "e.tweet_id") if wanted.entity else ("t.created_at", "t.id")
        where.add(f"{time} >= {{}}", wanted.since)
        where.add(f"{time} < {{}}", wanted.until)
        where.add(f"{time} <= {{}}", wanted.as_of)
        where.add(f"({time}, {key}) < ({{}}, {{}})", *(wanted.before or (None, None)))
        join = "JOIN tweet_entities e ON e.tweet_id = t.id" if wanted.entity else ""
        join += " JOIN tweet_search w ON w.tweet_id = t.id" if wanted.q else ""
        sql = (
            f"{_LISTED} {join} WHERE {' AND '.join(where.parts)} ORDER BY {time} DESC, {key} DESC LIMIT {wanted.limit}"
        )
        return [dict(row) for row in await self._postgres.fetch(sql, *where.args)]

    async def unscored(self, limit: int, besides: Sequence[int]) -> list[Unscored]:
        """Return the oldest tweets without a sentiment, leaving out the ids ``besides``."""
        return [Unscored(*row) for row in await fetch_planned(self._postgres, _UNSCORED, list(besides), limit)]

    async def save_scores(self, scores: Sequence[Scored], model: str) -> int:
        """Store sentiments and return how many were new; a tweet that has one keeps it."""
        columns = [
            [s.id for s in scores],
            [s.positive for s in scores],
            [s.neutral for s in scores],
            [s.negative for s in scores],
            [s.label for s in scores],
        ]
        async with self._postgres.transaction() as connection:
            head, _ = await lock_state(connection)
            row = await connection.fetchrow(_SAVE_SCORES, *columns, model, head)
            assert row is not None
            saved, last = int(row[0]), row[1]
            await connection.execute(f"{_ADVANCE}, scored = scored + $2", last, saved)
            return saved

    async def mark_unscorable(self, tweet_id: int, reason: str) -> None:
        """Note that a tweet cannot be scored and why, so that it is not tried for ever."""
        async with self._postgres.transaction() as connection:
            await lock_state(connection)
            marked = await connection.execute(
                "UPDATE tweets SET needs_score = false, score_error = $2 WHERE id = $1 AND needs_score",
                tweet_id,
                reason[:500],
            )
            await connection.execute("UPDATE feed_state SET unscorable = unscorable + $1", affected(marked))

    async def erase(self, tweet_ids: Sequence[int]) -> list[int]:
        """Erase all that is known of these tweets but their ids, and return the ids that were stored."""
        async with self._postgres.transaction() as connection:
            head, _ = await lock_state(connection)
            return await erase(connection, tweet_ids, head)
