"""Follows the feed of twitter-service and stores each tweet as a document."""

from __future__ import annotations

import re
from collections.abc import Sequence

from castor_chassis import follow
from rag_service.clients.twitter import TweetChange, TwitterFeed
from rag_service.documents.model import TWEET_PREFIX, TWEET_SOURCE, Draft, Metadata
from rag_service.documents.repository import DocumentRepository
from rag_service.ingest.feed_traffic import FeedTraffic


class FeedConsumer:
    """Stores the feed page by page, and notes the traffic; run it under a lease."""

    def __init__(self, twitter: TwitterFeed, documents: DocumentRepository, traffic: FeedTraffic) -> None:
        self._twitter = twitter
        self._documents = documents
        self._traffic = traffic

    async def run(self) -> None:
        """Follow the feed until cancelled; raises what the peer or the database raise."""
        await follow("tweets", load_cursor=self._documents.cursor, fetch=self._twitter.page, apply=self.apply)

    async def apply(self, tweets: Sequence[TweetChange], next_cursor: str) -> None:
        """Store one page and its cursor together; raises ``CursorMoved`` when another replica stored it before."""
        self._traffic.note()
        latest = {tweet.id: tweet for tweet in tweets}.values()
        # A tweet of a picture alone has no words to search or to quote, also where an edit left only that.
        told = [tweet for tweet in latest if not tweet.deleted and (tweet.text or "").strip()]
        drafts = [draft_of(tweet) for tweet in told]
        kept = {tweet.id for tweet in told}
        erased = [TWEET_PREFIX + tweet.id for tweet in latest if tweet.id not in kept]
        await self._documents.apply_page(drafts, erased, int(next_cursor))


def draft_of(tweet: TweetChange) -> Draft:
    """Return the document of a tweet; its sentiment is metadata, so that a later score needs no new embedding."""
    metadata: Metadata = {} if tweet.sentiment is None else tweet.sentiment.model_dump(exclude_none=True)
    if tweet.lang is not None:
        metadata["lang"] = tweet.lang
    return Draft(
        id=TWEET_PREFIX + tweet.id,
        text=tweet.text or "",
        source=TWEET_SOURCE,
        published_at=tweet.created_at,
        title=_header(tweet),
        url=f"https://x.com/{tweet.username or 'i'}/status/{tweet.id}",
        author=tweet.username or None,
        entities=tweet.entities,
        metadata=metadata,
        axes=tweet.axes,
        places=tweet.places,
        datasets=tweet.datasets,
        conversation=tweet.conversation_id,
        reply_to=TWEET_PREFIX + tweet.reply_to if tweet.reply_to else None,
        reply_to_author=tweet.reply_to_username,
    )


def _header(tweet: TweetChange) -> str | None:
    """Return whom a reply answers, as its title, so that it is indexed and embedded; None where its text says so."""
    name = tweet.reply_to_username
    if not name or re.search(rf"@{re.escape(name)}(?!\w)", tweet.text or "", re.IGNORECASE):
        return None
    return f"Respuesta a @{name}"
