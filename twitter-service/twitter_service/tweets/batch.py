"""Tweets that are stored together, tagged with the entities they count for and the axes they are about.

This module loads neither the service nor its storage, because the parser process imports it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec
from msgspec import structs

from twitter_service.matching.axes import axes_in
from twitter_service.matching.entities import Matcher
from twitter_service.matching.phrases import Words, words_of
from twitter_service.matching.places import places_of_text
from twitter_service.tweets.model import Author, NewTweet
from twitter_service.tweets.pg_copy import link_rows, raw_of, raw_row, tweet_row


class TaggedTweet(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A tweet, the entities it counts for, and the axes it is about."""

    tweet: NewTweet
    entities: tuple[str, ...] = ()
    axes: tuple[str, ...] = ()
    is_own_row: bool = True
    """False for the original that a retweet included."""


class EncodedTweet(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A tagged tweet as rows of COPY, beside what decides whether they are stored."""

    id: int
    version: int
    observed_at: datetime | None
    is_own_row: bool
    row: bytes
    links: bytes
    raw: bytes | None
    retweet_of: int | None
    tagged: bytes
    """The tagged tweet in MessagePack, without the JSON that came; read again only where the tweet is not new."""

    @classmethod
    def of(cls, item: TaggedTweet) -> EncodedTweet:
        """Encode a tagged tweet."""
        tweet = item.tweet
        rest = TaggedTweet(structs.replace(tweet, raw=None, author=None, original=None), item.entities, item.axes)
        return cls(
            tweet.id,
            tweet.version,
            tweet.observed_at,
            item.is_own_row,
            tweet_row(tweet, item.axes),
            link_rows(tweet, item.entities),
            raw_row(tweet),
            tweet.retweet_of,
            _encode(rest),
        )

    def decoded(self) -> TaggedTweet:
        """Return the tagged tweet, without its author."""
        item = _decode(self.tagged)
        return TaggedTweet(structs.replace(item.tweet, raw=raw_of(self.raw)), item.entities, item.axes, self.is_own_row)


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(TaggedTweet).decode


class Retweet(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A retweet that included its original: it is counted there and is not stored as a tweet."""

    original_id: int
    """Id of the first version of its original, under which that is stored."""
    id: int
    author_id: str | None
    created_at: datetime


class Batch(msgspec.Struct, frozen=True):
    """Tweets to store together, tagged with ``revision`` of the entities."""

    items: list[EncodedTweet]
    revision: int = 0
    retweets: list[Retweet] = []
    authors: list[Author] = []
    accounts: frozenset[str] = frozenset()
    """Entities whose account wrote one of the tweets, or is mentioned in one by its handle."""
    dataset: str | None = None
    """Data set that the tweets are put in."""
    known_authors: list[str] = []
    """Keys of authors whose profiles are stored as they are in ``authors`` of an earlier batch."""

    @classmethod
    def of(cls, tweets: Sequence[NewTweet], matcher: Matcher, revision: int) -> Batch:
        """Tag tweets; of a retweet that includes its original, the original is stored. CPU-bound."""
        items, retweets, authors = [], [], {}
        accounts: set[str] = set()
        for tweet in tweets:
            of = tweet.original or tweet
            if tweet.original:
                retweets.append(Retweet(of.id, tweet.id, tweet.author_id, tweet.created_at))
            words = words_of(of.text)
            accounts |= matcher.accounts_in(of.username, words)
            items.append(_encoded(of, words, matcher, of is tweet))
            author = of.author or Author(id=of.author_id or "@" + of.username.lower(), username=of.username)
            authors[author.id] = author
        return cls(items, revision, retweets, list(authors.values()), frozenset(accounts))

    def tagged_again(self, matcher: Matcher, revision: int) -> Batch:
        """Return the same tweets tagged with another revision of the entities. CPU-bound."""
        decoded = [(item.decoded().tweet, item.is_own_row) for item in self.items]
        pairs = [(tweet, words_of(tweet.text), is_own_row) for tweet, is_own_row in decoded]
        items = [_encoded(tweet, words, matcher, is_own_row) for tweet, words, is_own_row in pairs]
        found = (matcher.accounts_in(tweet.username, words) for tweet, words, _ in pairs)
        return structs.replace(self, items=items, revision=revision, accounts=frozenset().union(*found))


def _encoded(tweet: NewTweet, words: Words, matcher: Matcher, is_own_row: bool) -> EncodedTweet:
    found = matcher.entities_in(tweet.username, words)
    # Where neither its place nor its author says where a tweet comes from, its text may.
    if not tweet.places and (named := places_of_text(tweet.text, words.plain)):
        tweet = structs.replace(tweet, places=tuple(named), place_source="tweet")
    return EncodedTweet.of(TaggedTweet(tweet, tuple(sorted(found)), tuple(axes_in(words)), is_own_row))
