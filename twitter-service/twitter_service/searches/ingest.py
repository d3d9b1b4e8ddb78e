"""Where posts from X go: parsed, matched against the tracked entities, stored once, announced."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import structlog

from twitter_service.entities.repository import EntityStore
from twitter_service.imports.import_run import InThread
from twitter_service.matching.entities import Matcher
from twitter_service.metrics import TWEETS
from twitter_service.tweets.batch import Batch
from twitter_service.tweets.model import NewTweet, Unusable
from twitter_service.tweets.repository import TweetStore
from twitter_service.tweets.x_payload import Includes, tweet_of_object
from twitter_service.x.client import XPage

log = structlog.get_logger("twitter.x")


@dataclass(frozen=True)
class Stored:
    """What became of one page; ``ids`` are those of all posts in it, each once."""

    ids: list[int]
    stored: int
    duplicates: int
    rejected: int


class Sink:
    """Stores pages; a page that is stored again changes nothing."""

    def __init__(
        self, tweets: TweetStore, entities: EntityStore, in_thread: InThread, on_news: Callable[[], None]
    ) -> None:
        self._tweets = tweets
        self._entities = entities
        self._in_thread = in_thread
        self._on_news = on_news
        self._matcher: tuple[int, Matcher] | None = None

    async def store(self, page: XPage, source: str) -> Stored:
        """Store what is new of a page under the id of what asked for it."""
        found, rejected = _parsed(page)
        ids = sorted({int(item["id"]) for item in page.tweets if str(item.get("id", "")).isdecimal()})
        stored = await self._store(found, source) if found else 0
        TWEETS.labels("accepted").inc(stored)
        TWEETS.labels("duplicate").inc(len(page.tweets) - rejected - stored)
        TWEETS.labels("rejected").inc(rejected)
        return Stored(ids, stored, len(page.tweets) - rejected - stored, rejected)

    async def _store(self, tweets: Sequence[NewTweet], source: str) -> int:
        stored = None
        while stored is None:
            revision, matcher = self._matcher or await self._entities.matcher()
            batch = await self._in_thread(Batch.of, tweets, matcher, revision)
            stored = await self._tweets.add(batch, source)
            # None: the entities changed meanwhile, so the matches are made again.
            self._matcher = None if stored is None else (revision, matcher)
        self._on_news()
        return stored.new + stored.retweets


def _parsed(page: XPage) -> tuple[list[NewTweet], int]:
    includes = Includes(users=page.users, retrieved_at=datetime.now(UTC))
    found: dict[int, NewTweet] = {}
    rejected = 0
    for item in page.tweets:
        try:
            tweet = tweet_of_object(item, {}, includes)
            found[tweet.version] = tweet
        except Unusable as reason:
            rejected += 1
            log.warning("post_rejected", tweet_id=_text(item.get("id")), reason=str(reason))
    return list(found.values()), rejected


def _text(value: Any) -> str:
    return str(value)[:40]
