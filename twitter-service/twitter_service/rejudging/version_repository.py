"""Which version of the sentiment model counts, in PostgreSQL."""

from __future__ import annotations

from typing import Any

from castor_chassis import Postgres
from twitter_service.rejudging.model import RejudgingState, SentimentVersion
from twitter_service.tweets.feed_repository import lock_feed

_STATE = """
SELECT text_model, target_model, coming_text_model, coming_target_model, phase, through_tweet, through_entity, judged,
       strays
FROM sentiment_versions
"""
_BEGIN = """
UPDATE sentiment_versions
SET coming_text_model = $1, coming_target_model = $2, phase = 'texts', through_tweet = 0, through_entity = '',
    judged = 0, strays = false
"""
# What was stored under the earlier version while this one was collected is found by one more look.
_SWITCH = """
UPDATE sentiment_versions
SET text_model = coming_text_model, target_model = coming_target_model, coming_text_model = NULL,
    coming_target_model = NULL, phase = 'switching', strays = strays OR judged > 0
"""


class VersionRepository:
    """Every method raises ``DatabaseUnavailable`` while PostgreSQL is away."""

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres

    async def state(self) -> RejudgingState:
        """Return which version counts and how far its successor is."""
        row = await self._postgres.fetchrow(_STATE)
        assert row is not None
        active, coming = (_version(*names) for names in (row[:2], row[2:4]))
        return RejudgingState(active, coming, *row[4:])

    async def begin(self, version: SentimentVersion) -> None:
        """Begin to collect the answers of ``version``; what was collected before is dropped."""
        async with self._postgres.transaction() as connection:
            await connection.execute(_BEGIN, version.texts, version.targets)
            # To delete millions of rows one by one would take longer than a statement may.
            await connection.execute("TRUNCATE rejudged_texts, rejudged_targets")

    async def advance(self, tweet_id: int, entity_id: str, judged: int) -> None:
        """Note that the phase has come to this tweet and entity, and how many answers it has collected since."""
        await self._postgres.execute(
            "UPDATE sentiment_versions SET through_tweet = $1, through_entity = $2, judged = judged + $3",
            tweet_id,
            entity_id,
            judged,
        )

    async def go_on_with_targets(self) -> None:
        """End the phase of texts."""
        await self._postgres.execute(
            "UPDATE sentiment_versions SET phase = 'targets', through_tweet = 0, through_entity = ''"
        )

    async def switch(self) -> None:
        """Let the answers that were collected count, all at once."""
        async with self._postgres.transaction() as connection:
            # Plans from when these were empty would look through all of them for each tweet.
            await connection.execute("ANALYZE rejudged_texts, rejudged_targets")
            await lock_feed(connection)
            await connection.execute(_SWITCH)


def _version(texts: Any, targets: Any) -> SentimentVersion | None:
    return None if texts is None else SentimentVersion(texts, targets)
