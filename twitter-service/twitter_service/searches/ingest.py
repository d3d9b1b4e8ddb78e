"""Stores posts as X gave them: parsed, matched against the tracked entities, each kept once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import structlog

from twitter_service.entities.tweet_writer import TweetWriter
from twitter_service.metrics import TWEETS
from twitter_service.tweets.model import NewTweet, Unusable
from twitter_service.tweets.payloads.x_payload import Includes, tweet_of_object
from twitter_service.x.client import XPage

log = structlog.get_logger("castor.twitter.x")


@dataclass(frozen=True)
class IngestedPage:
    """What became of one page; ``ids`` are those of all posts in it, each once."""

    ids: list[int]
    stored: int
    duplicates: int
    rejected: int


class PageIngest:
    """Stores pages; a page that is stored again changes nothing."""

    def __init__(self, writer: TweetWriter) -> None:
        self._writer = writer

    async def store(self, page: XPage, source: str) -> IngestedPage:
        """Store what is new of a page under the id of the job that asked for it."""
        found, rejected = _parsed(page)
        ids = sorted({int(item["id"]) for item in page.tweets if str(item.get("id", "")).isdecimal()})
        stored = 0
        if found:
            added, _ = await self._writer.store(await self._writer.match(found), source)
            stored = added.new + added.retweets
        duplicates = len(page.tweets) - rejected - stored
        TWEETS.labels("accepted").inc(stored)
        TWEETS.labels("duplicate").inc(duplicates)
        TWEETS.labels("rejected").inc(rejected)
        return IngestedPage(ids, stored, duplicates, rejected)


def _parsed(page: XPage) -> tuple[list[NewTweet], int]:
    """Return the tweets of a page, and how many of its posts are none."""
    includes = Includes(users=page.users, retrieved_at=datetime.now(UTC))
    found: dict[int, NewTweet] = {}
    rejected = 0
    for item in page.tweets:
        try:
            tweet = tweet_of_object(item, {}, includes)
            found[tweet.version] = tweet
        except Unusable as reason:
            rejected += 1
            log.warning("post_rejected", tweet_id=str(item.get("id"))[:40], reason=str(reason))
    return list(found.values()), rejected
