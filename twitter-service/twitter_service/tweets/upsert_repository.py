"""Upserts of tweets: one row a tweet, new ones by COPY, known ones brought up to date.

Everything here runs inside a transaction that holds the feed's lock (``feed_repository.lock_feed``), so nothing
else is written meanwhile: a tweet that is found to be new stays new, and COPY needs no conflict clause.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

from castor_chassis import affected_rows
from twitter_service.tweets.author_repository import assess_again, save_authors
from twitter_service.tweets.batch import Batch, EncodedTweet, Retweet, TaggedTweet
from twitter_service.tweets.model import NewTweet
from twitter_service.tweets.pg_copy import LINK_COLUMNS, RAW_COLUMNS, TWEET_COLUMNS, rows_of, tweet_rows

_KNOWN = "SELECT id, coalesce(version_id, id) AS version, observed_at, deleted FROM tweets WHERE id = ANY($1::bigint[])"
_ERASED = """
SELECT id FROM tweets WHERE id = ANY($1::bigint[]) AND deleted
UNION ALL
SELECT id FROM erased_ids WHERE id = ANY($1::bigint[] || $2::bigint[])
"""

_REFRESH = """
UPDATE tweets t SET metrics = coalesce(n.metrics, t.metrics), observed_at = n.observed_at
FROM unnest($1::bigint[], $2::jsonb[], $3::timestamptz[]) AS n(id, metrics, observed_at)
WHERE t.id = n.id AND t.id = ANY($1::bigint[])
"""

_KEEP_OLD = """
INSERT INTO tweet_versions (tweet_id, version_id, created_at, text)
SELECT id, coalesce(version_id, id), created_at, text FROM tweets WHERE id = ANY($1::bigint[])
ON CONFLICT DO NOTHING
"""

# The time of a tweet stays that of its first version; the text is scored and matched again. A place from the profile
# stays where the source of the edit does not bring the profile.
_EDIT = """
UPDATE tweets t
SET version_id = n.version_id, text = n.text, lang = n.lang, metrics = coalesce(n.metrics, t.metrics),
    observed_at = coalesce(n.observed_at, t.observed_at), needs_score = true, positive = NULL, neutral = NULL,
    negative = NULL, label = NULL, model = NULL, scored_at = NULL, score_error = NULL,
    axes = string_to_array(n.axes, ','),
    places = CASE WHEN n.place_source IS NULL AND t.place_source = 'author' THEN t.places
                  ELSE string_to_array(n.places, ',') END,
    place_source = coalesce(n.place_source, CASE WHEN t.place_source = 'author' THEN t.place_source END),
    change_seq = $7 + n.number
FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::jsonb[], $6::timestamptz[], $8::text[], $9::text[],
            $10::text[])
     WITH ORDINALITY AS n(id, version_id, text, lang, metrics, observed_at, axes, places, place_source, number)
WHERE t.id = n.id AND t.id = ANY($1::bigint[])
"""
_LOSING_SCORES = """
SELECT count(*) FILTER (WHERE scored_at IS NOT NULL) AS scored,
       count(*) FILTER (WHERE score_error IS NOT NULL) AS unscorable
FROM tweets WHERE id = ANY($1::bigint[])
"""
_OLDER_VERSIONS = """
INSERT INTO tweet_versions (tweet_id, version_id, created_at, text)
SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::timestamptz[], $4::text[]) ON CONFLICT DO NOTHING
"""
_RETWEETS = """
INSERT INTO retweets (original_id, retweet_id, author_id, created_at)
SELECT n.original_id, n.retweet_id, n.author_id, n.created_at
FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::timestamptz[])
     AS n(original_id, retweet_id, author_id, created_at)
WHERE NOT EXISTS (SELECT FROM tweets t WHERE t.id IN (n.retweet_id, n.original_id) AND t.deleted)
  AND NOT EXISTS (SELECT FROM erased_ids e WHERE e.id IN (n.retweet_id, n.original_id))
ON CONFLICT DO NOTHING
"""
# A tweet of another file too is in the data set of each; that is a change, so that consumers learn it.
_JOIN_DATASET = """
UPDATE tweets t SET datasets = array_append(coalesce(t.datasets, '{}'), $2), change_seq = $3 + n.number
FROM (
    SELECT id, row_number() OVER (ORDER BY id) AS number FROM tweets
    WHERE id = ANY($1::bigint[]) AND NOT deleted AND NOT coalesce($2 = ANY(datasets), false)
) n
WHERE t.id = n.id AND t.id = ANY($1::bigint[])
"""
# What a source does not say stays; a name stays only with the tweet it belongs to, and not where that one is erased.
_SET_ANSWERED = """
UPDATE tweets t
SET conversation_id = n.conversation_id, reply_to = n.reply_to, reply_to_username = n.name, change_seq = $5 + n.number
FROM (
    SELECT o.id, coalesce(n.conversation_id, o.conversation_id) AS conversation_id,
           coalesce(n.reply_to, o.reply_to) AS reply_to, name, row_number() OVER (ORDER BY o.id) AS number
    FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::text[]) AS n(id, conversation_id, reply_to, username)
    JOIN tweets o ON o.id = n.id AND o.id = ANY($1::bigint[])
    CROSS JOIN LATERAL (SELECT CASE
        WHEN EXISTS (SELECT FROM tweets p WHERE p.id = coalesce(n.reply_to, o.reply_to) AND p.deleted) THEN NULL
        WHEN n.reply_to IS NULL OR n.reply_to = o.reply_to THEN coalesce(n.username, o.reply_to_username)
        ELSE n.username END AS name) answered
    WHERE (o.conversation_id, o.reply_to, o.reply_to_username) IS DISTINCT FROM
          (coalesce(n.conversation_id, o.conversation_id), coalesce(n.reply_to, o.reply_to), name)
) n
WHERE t.id = n.id AND t.id = ANY($1::bigint[])
RETURNING t.id
"""
_COUNT = """
UPDATE feed_state
SET head = head + $1, tweets = tweets + $2, scored = scored - $3, unscorable = unscorable - $4
"""


@dataclass(frozen=True)
class Added:
    """What became of tweets: rows that are new, retweets that are new, and old rows that were brought up to date."""

    new: int = 0
    refreshed: int = 0
    retweets: int = 0

    def __add__(self, other: Added) -> Added:
        return Added(self.new + other.new, self.refreshed + other.refreshed, self.retweets + other.retweets)


@dataclass(frozen=True)
class Source:
    """The import or search that brings tweets, and the data set that they are put in."""

    import_id: str
    dataset: str | None


async def upsert(connection: Any, batch: Batch, import_id: str, head: int) -> Added:
    """Store tweets in their order and return what became of them; a repeated one is stored once.

    ``head`` is the number of the newest change; each change gets the next one.
    """
    added, rest = Added(), list(batch.items)
    while rest:
        distinct, rest = _distinct(rest)
        result, head = await _store(connection, distinct, Source(import_id, batch.dataset), head)
        added += result
    await save_authors(connection, batch.authors)
    await assess_again(connection, batch.known_authors)
    return added + Added(retweets=await _count_retweets(connection, batch.retweets))


async def _count_retweets(connection: Any, retweets: Sequence[Retweet]) -> int:
    if not retweets:
        return 0
    columns: list[list[Any]] = [
        [r.original_id for r in retweets], [r.id for r in retweets], [r.author_id for r in retweets],
        [r.created_at for r in retweets],
    ]  # fmt: skip
    return affected_rows(await connection.execute(_RETWEETS, *columns))


def _distinct(items: Sequence[EncodedTweet]) -> tuple[list[EncodedTweet], list[EncodedTweet]]:
    """Return the first of each tweet, and what has to come after it: another version, or a newer state."""
    first: dict[int, EncodedTweet] = {}
    distinct, later = [], []
    for item in items:
        known = first.setdefault(item.id, item)
        if known is item:
            distinct.append(item)
        elif item.version != known.version or _is_newer(item.observed_at, known.observed_at):
            later.append(item)
    return distinct, later


async def _store(connection: Any, items: Sequence[EncodedTweet], source: Source, head: int) -> tuple[Added, int]:
    items = await _without_erased(connection, items)
    known = {row["id"]: row for row in await connection.fetch(_KNOWN, [item.id for item in items])}
    new = [item for item in items if item.id not in known]
    old = [(item, known[item.id]) for item in items if item.id in known]
    old = [(item, row) for item, row in old if not row["deleted"]]
    edits = [item.decoded() for item, row in old if item.version > row["version"]]
    repeated = [item.decoded().tweet for item, row in old if item.version == row["version"]]
    same = [tweet for tweet in repeated if _is_newer(tweet.observed_at, known[tweet.id]["observed_at"])]
    if new:
        await _copy(connection, new, source, head)
        await connection.execute(_COUNT, len(new), len(new), 0, 0)
        head += len(new)
    if edits:
        await _edit(connection, edits, head)
        head += len(edits)
    if same:
        columns: list[list[Any]] = [[t.id for t in same], [t.metrics for t in same], [t.observed_at for t in same]]
        await connection.execute(_REFRESH, *columns)
    answers = await _set_answered(connection, [*(item.tweet for item in edits), *repeated], head)
    head += len(answers)
    refreshed = {*answers, *(item.tweet.id for item in edits), *(tweet.id for tweet in same)}
    await _keep_older(connection, [item.decoded().tweet for item, row in old if item.version < row["version"]])
    head += await _join_dataset(connection, [item.id for item, _ in old], source.dataset, head)
    return Added(sum(item.is_own_row for item in new), len(refreshed)), head


async def _without_erased(connection: Any, items: Sequence[EncodedTweet]) -> list[EncodedTweet]:
    """Return the tweets but versions that were erased, and retweets of an erased tweet, whose words they hold."""
    repeated = [item.retweet_of for item in items if item.retweet_of is not None]
    own = [key for item in items for key in {item.id, item.version}]
    erased = {row["id"] for row in await connection.fetch(_ERASED, repeated, own)}
    return [item for item in items if erased.isdisjoint((item.id, item.version, item.retweet_of))]


async def _set_answered(connection: Any, tweets: Sequence[NewTweet], head: int) -> list[int]:
    """Store whom tweets answer where that is not what is stored; return the tweets that changed."""
    tweets = [tweet for tweet in tweets if tweet.conversation_id or tweet.reply_to]
    if not tweets:
        return []
    columns: list[list[Any]] = [
        [t.id for t in tweets], [t.conversation_id for t in tweets], [t.reply_to for t in tweets],
        [t.reply_to_username for t in tweets],
    ]  # fmt: skip
    changed = [row["id"] for row in await connection.fetch(_SET_ANSWERED, *columns, head)]
    await connection.execute(_COUNT, len(changed), 0, 0, 0)
    return changed


async def _join_dataset(connection: Any, ids: Sequence[int], dataset: str | None, head: int) -> int:
    """Put stored tweets into a data set; return how many were not in it yet."""
    if dataset is None or not ids:
        return 0
    joined = affected_rows(await connection.execute(_JOIN_DATASET, ids, dataset, head))
    await connection.execute(_COUNT, joined, 0, 0, 0)
    return joined


async def _copy(connection: Any, new: Sequence[EncodedTweet], source: Source, head: int) -> None:
    rows = tweet_rows([item.row for item in new], source.import_id, source.dataset, head)
    await _send(connection, "tweets", TWEET_COLUMNS, rows)
    if raws := [item.raw for item in new if item.raw is not None]:
        await _send(connection, "tweet_raw", RAW_COLUMNS, rows_of(raws))
    if links := [item.links for item in new if item.links]:
        await _send(connection, "tweet_entities", LINK_COLUMNS, rows_of(links))


async def _send(connection: Any, table: str, columns: Sequence[str], rows: bytes) -> None:
    await connection.copy_to_table(table, source=BytesIO(rows), columns=columns, format="binary")


async def _edit(connection: Any, edits: Sequence[TaggedTweet], head: int) -> None:
    tweets, ids = [item.tweet for item in edits], [item.tweet.id for item in edits]
    await connection.execute(_KEEP_OLD, ids)
    losing = await connection.fetchrow(_LOSING_SCORES, ids)
    await connection.execute(
        _EDIT, ids, [t.version for t in tweets], [t.text for t in tweets], [t.lang for t in tweets],
        [t.metrics for t in tweets], [t.observed_at for t in tweets], head, [",".join(item.axes) for item in edits],
        [",".join(t.places) for t in tweets], [t.place_source for t in tweets],
    )  # fmt: skip
    await connection.execute("DELETE FROM tweet_entities WHERE tweet_id = ANY($1::bigint[])", ids)
    links = [(item.tweet.id, entity) for item in edits for entity in item.entities]
    await connection.execute(
        "INSERT INTO tweet_entities (tweet_id, entity_id, created_at) SELECT l.tweet_id, l.entity_id, t.created_at "
        "FROM unnest($1::bigint[], $2::text[]) AS l(tweet_id, entity_id) JOIN tweets t ON t.id = l.tweet_id",
        [tweet_id for tweet_id, _ in links],
        [entity for _, entity in links],
    )
    raws = [(t.id, t.raw) for t in tweets if t.raw is not None]
    await connection.executemany(
        "INSERT INTO tweet_raw (tweet_id, raw) VALUES ($1, $2) ON CONFLICT (tweet_id) DO UPDATE SET raw = excluded.raw",
        raws,
    )
    await connection.execute(_COUNT, len(edits), 0, losing["scored"], losing["unscorable"])


async def _keep_older(connection: Any, tweets: Sequence[NewTweet]) -> None:
    if tweets:
        columns: list[list[Any]] = [
            [t.id for t in tweets], [t.version for t in tweets], [t.created_at for t in tweets],
            [t.text for t in tweets],
        ]  # fmt: skip
        await connection.execute(_OLDER_VERSIONS, *columns)


def _is_newer(observed: datetime | None, known: datetime | None) -> bool:
    return observed is not None and observed > (known or datetime.min.replace(tzinfo=UTC))
