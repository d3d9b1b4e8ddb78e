"""Tweets as rows of PostgreSQL's binary COPY, so that storing them only sends bytes.

A field is its length in four bytes (-1: null) and its value, numbers in network order; a row is the number of its
fields in two bytes, and its fields. See "Binary Format" on PostgreSQL's page about COPY.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from struct import Struct

import orjson

from twitter_service.tweets.model import NewTweet

BEGIN = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
END = b"\xff\xff"
TWEET_COLUMNS = (
    "id", "version_id", "username", "author_id", "created_at", "text", "lang", "metrics", "observed_at", "retweet_of",
    "conversation_id", "reply_to", "reply_to_username", "axes", "places", "place_source", "import_id", "datasets",
    "change_seq",
)  # fmt: skip
RAW_COLUMNS = ("tweet_id", "raw")
LINK_COLUMNS = ("tweet_id", "entity_id", "created_at")

_NULL = b"\xff\xff\xff\xff"
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_TEXT_OID = 25
_JSONB_VERSION = b"\x01"
_number = Struct(">iq").pack
_count = Struct(">h").pack
_length = Struct(">i").pack
_array = Struct(">5i").pack
_RAW_BEGIN = 2 + 12 + 4
"""Bytes of a row of ``tweet_raw`` before the JSON."""


def tweet_row(tweet: NewTweet, axes: tuple[str, ...]) -> bytes:
    """Return the row of a tweet without its last three columns."""
    return b"".join(
        (
            _count(len(TWEET_COLUMNS)),
            _number(8, tweet.id),
            _number(8, tweet.version_id) if tweet.version_id else _NULL,
            _text(tweet.username),
            _text(tweet.author_id),
            _time(tweet.created_at),
            _text(tweet.text),
            _text(tweet.lang),
            _json(tweet.metrics),
            _time(tweet.observed_at),
            _id(tweet.retweet_of),
            _id(tweet.conversation_id),
            _id(tweet.reply_to),
            _text(tweet.reply_to_username),
            _texts(axes),
            _texts(tweet.places),
            _text(tweet.place_source),
        )
    )


def tweet_rows(rows: Iterable[bytes], import_id: str, dataset: str | None, head: int) -> bytes:
    """Return a COPY of tweets that ``tweet_row`` has begun; changes are numbered from ``head`` + 1."""
    source = _text(import_id) + (_texts((dataset,)) if dataset else _NULL)
    return BEGIN + b"".join(row + source + _number(8, seq) for seq, row in enumerate(rows, head + 1)) + END


def raw_row(tweet: NewTweet) -> bytes | None:
    """Return the row of the JSON that a tweet came as; None where it came as CSV."""
    return None if tweet.raw is None else b"".join((_count(2), _number(8, tweet.id), _text(tweet.raw)))


def raw_of(row: bytes | None) -> str | None:
    """Return the JSON in such a row."""
    return None if row is None else row[_RAW_BEGIN:].decode()


def link_rows(tweet: NewTweet, entities: tuple[str, ...]) -> bytes:
    """Return the rows that say for which entities a tweet counts."""
    if not entities:
        return b""
    key, at = _count(3) + _number(8, tweet.id), _time(tweet.created_at)
    return b"".join(key + _text(entity) + at for entity in entities)


def rows_of(rows: Iterable[bytes]) -> bytes:
    """Return a COPY of finished rows."""
    return BEGIN + b"".join(rows) + END


def _text(value: str | None) -> bytes:
    if value is None:
        return _NULL
    data = value.encode()
    return _length(len(data)) + data


def _id(value: int | None) -> bytes:
    return _NULL if value is None else _number(8, value)


def _time(moment: datetime | None) -> bytes:
    return _NULL if moment is None else _number(8, (moment - _EPOCH) // _MICROSECOND)


def _json(value: dict[str, int] | None) -> bytes:
    if value is None:
        return _NULL
    data = orjson.dumps(value)
    return _length(len(data) + 1) + _JSONB_VERSION + data


@lru_cache(maxsize=10_000)
def _texts(values: tuple[str, ...]) -> bytes:
    """Return a text[]: dimensions, whether there are nulls, the type; of the one dimension length and first index."""
    if not values:
        return _length(12) + Struct(">3i").pack(0, 0, _TEXT_OID)
    data = _array(1, 0, _TEXT_OID, len(values), 1) + b"".join(map(_text, values))
    return _length(len(data)) + data
