"""Erasure of tweets in PostgreSQL: all but the id and the times is removed, and the feed tells every consumer.

With the last tweet of an author goes the author's profile.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

# A tweet is erased under the id of any of its versions.
_FIRST_VERSIONS = """
SELECT id FROM tweets WHERE (id = ANY($1::bigint[]) OR version_id = ANY($1::bigint[])) AND NOT deleted
UNION
SELECT t.id FROM tweet_versions v JOIN tweets t ON t.id = v.tweet_id
WHERE v.version_id = ANY($1::bigint[]) AND NOT t.deleted
"""

_ERASE = """
WITH old AS (
    SELECT id, lower(username) AS author, scored_at IS NOT NULL AS scored, score_error IS NOT NULL AS unscorable,
           row_number() OVER (ORDER BY id) AS number
    FROM tweets WHERE id = ANY($1) AND NOT deleted
), erased AS (
    UPDATE tweets t
    SET deleted = true, username = '', author_id = NULL, text = '', lang = NULL, metrics = NULL, raw = NULL,
        search = NULL,
        version_id = NULL, observed_at = NULL, retweet_of = NULL, axes = NULL, places = NULL, place_source = NULL,
        datasets = NULL, conversation_id = NULL, reply_to = NULL, reply_to_username = NULL,
        needs_score = false, positive = NULL, neutral = NULL, negative = NULL, label = NULL, model = NULL,
        change_seq = $2 + old.number
    FROM old WHERE t.id = old.id
)
SELECT author, scored, unscorable FROM old
"""

# Nothing is kept of an author of whom no tweet is left.
_ERASE_AUTHORS = """
DELETE FROM authors a WHERE lower(a.username) = ANY($1::text[])
AND NOT EXISTS (SELECT FROM tweets t WHERE lower(t.username) = lower(a.username) AND NOT t.deleted)
"""

# Its id is kept, so that a file which still holds the retweet does not count it again.
_ERASE_RETWEETS = """
UPDATE retweets SET deleted = true, author_id = NULL WHERE retweet_id = ANY($1::bigint[]) AND NOT deleted
RETURNING retweet_id
"""
_DEPENDENT_TABLES = (
    "tweet_entities", "tweet_raw", "tweet_search", "tweet_versions", "rejudged_texts", "rejudged_targets",
)  # fmt: skip


async def erase(connection: Any, tweet_ids: Sequence[int], head: int) -> list[int]:
    """Erase tweets in a transaction that holds the feed's lock; return the ids that were stored, as they were given."""
    given = list(tweet_ids)
    retweets = await connection.fetch(_ERASE_RETWEETS, given)
    ids = [row["id"] for row in await connection.fetch(_FIRST_VERSIONS, given)]
    stored = {*await _given_ids(connection, given, ids), *(row["retweet_id"] for row in retweets)}
    for table in _DEPENDENT_TABLES:
        await connection.execute(f"DELETE FROM {table} WHERE tweet_id = ANY($1::bigint[])", ids)
    await connection.execute("DELETE FROM retweets WHERE original_id = ANY($1::bigint[])", ids)
    rows = await connection.fetch(_ERASE, ids, head)
    await connection.execute(_ERASE_AUTHORS, list({row["author"] for row in rows}))
    await connection.execute(
        "UPDATE feed_state SET head = head + $1, tweets = tweets - $1, scored = scored - $2, "
        "unscorable = unscorable - $3",
        len(rows),
        sum(row["scored"] for row in rows),
        sum(row["unscorable"] for row in rows),
    )
    return sorted(stored)


async def _given_ids(connection: Any, given: Sequence[int], ids: Sequence[int]) -> set[int]:
    versions = await connection.fetch(
        "SELECT version_id FROM tweet_versions WHERE tweet_id = ANY($1::bigint[]) "
        "UNION SELECT version_id FROM tweets WHERE id = ANY($1::bigint[]) AND version_id IS NOT NULL",
        ids,
    )
    return set(given) & {*ids, *(row["version_id"] for row in versions)}
