"""Follows the feed of twitter-service and stores the terms of its tweets."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

from castor_chassis import follow
from trending_service.clients.twitter import TweetChange, TwitterFeed
from trending_service.metrics import CHANGES, STORED, TERMS
from trending_service.signals.feed_repository import FeedRepository
from trending_service.signals.model import AppliedPage, TweetTerms
from trending_service.text.terms import entity_terms, retweeted, terms_of, text_hash

InThread = Callable[
    [Callable[[Sequence[TweetChange]], list[TweetTerms]], Sequence[TweetChange]], Awaitable[list[TweetTerms]]
]


def last_changes(changes: Sequence[TweetChange]) -> list[TweetChange]:
    """Return the last change of each tweet; what came before it in the page no longer matters."""
    return list({change.id: change for change in changes}.values())


def terms_by_tweet(changes: Sequence[TweetChange]) -> list[TweetTerms]:
    """Return what is stored of these changes; deleted tweets are left out. CPU-bound."""
    return [_stored(change, change.created_at) for change in changes if not change.deleted and change.created_at]


def _stored(change: TweetChange, created_at: datetime) -> TweetTerms:
    author = change.username.lower()
    return TweetTerms(
        id=int(change.id),
        created_at=created_at,
        author=author,
        voice=retweeted(change.text) or author,
        # A twitter-service of before does not say.
        is_retweet=change.retweet_of is not None if "retweet_of" in change.model_fields_set else None,
        label=change.label,
        text_hash=text_hash(change.text),
        scopes=change.scopes,
        terms=terms_of(change.text) | entity_terms(change.entities),
    )


class FeedConsumer:
    """Stores the feed page by page; run it under a lease."""

    def __init__(self, twitter: TwitterFeed, feed: FeedRepository, in_thread: InThread) -> None:
        self._twitter = twitter
        self._feed = feed
        self._in_thread = in_thread

    async def run(self) -> None:
        """Follow the feed until cancelled; raises what the peer or the database raise."""
        await follow(
            "tweets",
            load_cursor=self._cursor,
            fetch=self._twitter.page,
            apply=self.apply,
            caught_up=self._feed.caught_up,
        )

    async def _cursor(self) -> str:
        return str((await self._feed.state()).cursor)

    async def apply(self, changes: Sequence[TweetChange], next_cursor: str) -> None:
        """Store one page and its cursor together."""
        latest = last_changes(changes)
        tweets = await self._in_thread(terms_by_tweet, latest)
        deleted = [int(change.id) for change in latest if change.deleted]
        _count(await self._feed.apply(tweets, deleted, int(next_cursor)))


def _count(applied: AppliedPage) -> None:
    STORED.set(applied.tweets)
    TERMS.inc(applied.terms)
    for change in ("added", "updated", "deleted"):
        CHANGES.labels(change).inc(getattr(applied, change))
