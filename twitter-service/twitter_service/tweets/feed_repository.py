"""The state of the feed in PostgreSQL, and the lock that orders its writers.

``feed_state`` has one row. A writer locks it first and holds it until commit, so numbers of changes become visible
in their order, and a cursor of the feed never passes a change that is still being committed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from castor_chassis import Postgres
from twitter_service.tweets.records import Change

# Writers name hundreds of ids. A plan that is kept from when a partition was small scans it as it grows, so each
# statement of a writer is planned for what is stored now.
_LOCK = """
SELECT head, entity_revision, set_config('plan_cache_mode', 'force_custom_plan', true) FROM feed_state FOR UPDATE
"""

_STATE = """
SELECT head, tweets, scored, unscorable, head - (SELECT through FROM search_state) AS search_behind,
       o.created_at AS oldest_pending_at, o.stored_at AS oldest_pending_stored_at
FROM feed_state LEFT JOIN LATERAL
     (SELECT created_at, stored_at FROM tweets WHERE needs_score ORDER BY created_at, id LIMIT 1) o ON true
"""

_CHANGES = """
SELECT t.change_seq, t.id, t.username, t.created_at, t.text, t.lang, t.deleted,
       ARRAY(SELECT e.entity_id FROM tweet_entities e WHERE e.tweet_id = t.id ORDER BY e.entity_id) AS entities,
       coalesce(t.axes, '{}') AS axes, coalesce(t.places, '{}') AS places,
       t.positive, t.neutral, t.negative, t.label, t.model, coalesce(t.datasets, '{}') AS datasets,
       CASE WHEN NOT t.deleted THEN t.conversation_id END AS conversation_id,
       CASE WHEN NOT t.deleted THEN t.reply_to END AS reply_to,
       CASE WHEN NOT t.deleted THEN nullif(coalesce((
           SELECT CASE WHEN p.deleted THEN '' WHEN p.username ~ '^[A-Za-z0-9_]{1,15}$' THEN p.username END
           FROM tweets p WHERE p.id = t.reply_to AND (p.deleted OR t.reply_to_username IS NULL)
       ), t.reply_to_username), '') END AS reply_to_username,
       CASE WHEN NOT t.deleted THEN t.retweet_of END AS retweet_of
FROM tweets t WHERE t.change_seq > $1 ORDER BY t.change_seq LIMIT $2
"""


@dataclass(frozen=True)
class FeedState:
    """Totals of the feed. ``tweets`` = ``scored`` + ``unscorable`` + ``pending``."""

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


async def lock_feed(connection: Any) -> tuple[int, int]:
    """Make all other writers wait until commit; return the feed's head and the revision of the entities."""
    row = await connection.fetchrow(_LOCK)
    return row["head"], row["entity_revision"]


class FeedRepository:
    """Reads the feed. Every method raises ``DatabaseUnavailable`` while PostgreSQL is away."""

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres

    async def state(self) -> FeedState:
        """Return the totals, without a scan of the tweets."""
        row = await self._postgres.fetchrow(_STATE)
        assert row is not None
        return FeedState(**dict(row))

    async def changes(self, after: int, limit: int) -> list[Change]:
        """Return the latest change of each tweet that changed after number ``after``, in order of number."""
        return [Change(*row) for row in await self._postgres.fetch(_CHANGES, after, limit)]
