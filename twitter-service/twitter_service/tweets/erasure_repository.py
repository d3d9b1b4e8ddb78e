"""Erasure of tweets in PostgreSQL: all but the id and the times is removed, and the feed tells every consumer.

With a tweet goes its author's handle in the replies to it, and with the last tweet of an author the author's profile.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from castor_chassis import affected_rows

AUTHOR_KEY = "coalesce(t.author_id, '@' || lower(t.username))"
"""Key of the profile of the author of the tweet ``t``. A tweet without the author's id is that of every author with
its handle."""

# A tweet is erased under the id of any of its versions.
_FIRST_VERSIONS = """
SELECT id FROM tweets WHERE (id = ANY($1::bigint[]) OR version_id = ANY($1::bigint[])) AND NOT deleted
UNION
SELECT t.id FROM tweet_versions v JOIN tweets t ON t.id = v.tweet_id
WHERE v.version_id = ANY($1::bigint[]) AND NOT t.deleted
"""

# Those whose original was not known when they came; the others are rows of ``retweets``.
_RETWEETS_OF = "SELECT id FROM tweets WHERE retweet_of = ANY($1::bigint[]) AND NOT deleted LIMIT $2"

_ERASE = f"""
WITH old AS (
    SELECT id, {AUTHOR_KEY} AS author, lower(username) AS handle,
           scored_at IS NOT NULL AS scored, score_error IS NOT NULL AS unscorable,
           row_number() OVER (ORDER BY id) AS number
    FROM tweets t WHERE id = ANY($1) AND NOT deleted
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
SELECT author, handle, scored, unscorable FROM old
"""

# Nothing is kept of an author of whom no tweet is left.
_ERASE_AUTHORS = f"""
DELETE FROM authors a WHERE (a.key = ANY($1::text[]) OR lower(a.username) = ANY($2::text[]))
AND NOT EXISTS (SELECT FROM tweets t WHERE {AUTHOR_KEY} = a.key AND NOT t.deleted)
AND NOT EXISTS (SELECT FROM tweets t WHERE {AUTHOR_KEY} = '@' || lower(a.username) AND NOT t.deleted)
"""

# The replies are told again, because consumers have stored the name, also where it was looked up.
_FORGET_ANSWERED = """
UPDATE tweets t SET reply_to_username = NULL, change_seq = $2 + reply.number
FROM (
    SELECT id, row_number() OVER (ORDER BY id) AS number FROM tweets
    WHERE reply_to = ANY($1::bigint[]) AND NOT deleted
) reply
WHERE t.id = reply.id
"""

# The JSON of a reply names whom it answers, and a former release stored that tweet in it as well.
_FORGET_RAW_REPLIES = """
DELETE FROM tweet_raw r USING tweets t WHERE t.reply_to = ANY($1::bigint[]) AND NOT t.deleted AND r.tweet_id = t.id
"""

# Its id is kept, so that a file which still holds the retweet does not count it again.
_ERASE_RETWEETS = """
UPDATE retweets SET deleted = true, author_id = NULL WHERE retweet_id = ANY($1::bigint[]) AND NOT deleted
RETURNING retweet_id
"""
# Of a tweet that is not stored, and of a later version, there is no tombstone.
_NOTE_ERASED = "INSERT INTO erased_ids (id) SELECT unnest($1::bigint[]) ON CONFLICT DO NOTHING"

_DEPENDENT_TABLES = (
    "tweet_entities", "tweet_raw", "tweet_search", "tweet_versions", "rejudged_texts", "rejudged_targets",
)  # fmt: skip


async def erase(connection: Any, tweet_ids: Sequence[int], head: int) -> list[int]:
    """Erase tweets in a transaction that holds the feed's lock; return the ids that were stored, as they were given.

    The ids that were not stored are kept as well, and those of later versions, so that no file brings them.
    """
    given = list(tweet_ids)
    retweets = await connection.fetch(_ERASE_RETWEETS, given)
    ids = [row["id"] for row in await connection.fetch(_FIRST_VERSIONS, given)]
    versions = await _versions(connection, ids)
    named = {*given, *versions}
    await connection.execute(_NOTE_ERASED, sorted(named.difference(ids)))
    for table in _DEPENDENT_TABLES:
        await connection.execute(f"DELETE FROM {table} WHERE tweet_id = ANY($1::bigint[])", ids)
    await connection.execute("DELETE FROM retweets WHERE original_id = ANY($1::bigint[])", named)
    rows = await connection.fetch(_ERASE, ids, head)
    await connection.execute(_ERASE_AUTHORS, *({row[name] for row in rows} for name in ("author", "handle")))
    await connection.execute(_FORGET_RAW_REPLIES, named)
    replies = affected_rows(await connection.execute(_FORGET_ANSWERED, named, head + len(rows)))
    await connection.execute(
        "UPDATE feed_state SET head = head + $1 + $4, tweets = tweets - $1, scored = scored - $2, "
        "unscorable = unscorable - $3",
        len(rows),
        sum(row["scored"] for row in rows),
        sum(row["unscorable"] for row in rows),
        replies,
    )
    return sorted({*versions.intersection(given), *(row["retweet_id"] for row in retweets)})


async def retweets_of(connection: Any, tweet_ids: Sequence[int], limit: int) -> list[int]:
    """Return the ids of at most ``limit`` stored tweets that repeat one of ``tweet_ids``, stored or not."""
    firsts = [row["id"] for row in await connection.fetch(_FIRST_VERSIONS, list(tweet_ids))]
    versions = {*tweet_ids, *await _versions(connection, firsts)}
    return [row["id"] for row in await connection.fetch(_RETWEETS_OF, list(versions), limit)]


async def _versions(connection: Any, ids: Sequence[int]) -> set[int]:
    """Return the ids of all versions of tweets."""
    versions = await connection.fetch(
        "SELECT version_id FROM tweet_versions WHERE tweet_id = ANY($1::bigint[]) "
        "UNION SELECT version_id FROM tweets WHERE id = ANY($1::bigint[]) AND version_id IS NOT NULL",
        ids,
    )
    return {*ids, *(row["version_id"] for row in versions)}
