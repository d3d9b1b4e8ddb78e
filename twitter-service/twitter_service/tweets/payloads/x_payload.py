"""Tweets in objects of the X API v2 or v1.1, flat or with their expansions, as X, twarc and tweepy write them.

Only the fields that are stored are decoded into Python values; the rest of an object is kept as bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any

import msgspec
import orjson

from twitter_service.matching.places import place_of
from twitter_service.tweets.model import (
    Author,
    NewTweet,
    Unusable,
    known_handle,
    known_id,
    metrics_of_object,
    read_created_at,
    read_id,
    read_lang,
    read_text,
    read_time,
    read_username,
)
from twitter_service.tweets.payloads.author_payload import author_of
from twitter_service.tweets.payloads.embedded_tweets import own_json
from twitter_service.tweets.payloads.v1_payload import as_v2, is_v1

MAX_RAW_BYTES = 100_000


class _Object(msgspec.Struct):
    """Fields of a tweet object; any of them may be missing or broken."""

    id: Any = None
    text: Any = None
    author_id: Any = None
    created_at: Any = None
    lang: Any = None
    public_metrics: Any = None
    username: Any = None
    author: Any = None
    geo: Any = None
    note_tweet: Any = None
    referenced_tweets: Any = None
    conversation_id: Any = None
    in_reply_to_user_id: Any = None
    edit_history_tweet_ids: Any = None
    user: Any = None
    retrieved: Any = msgspec.field(default=None, name="__twarc")


_read_object = msgspec.json.Decoder(_Object).decode


class Includes:
    """The expansions of a page, by id."""

    def __init__(
        self, users: Any = None, tweets: Any = None, places: Any = None, retrieved_at: datetime | None = None
    ) -> None:
        self.retrieved_at = retrieved_at
        self.users = _by_id(users)
        self.tweets = _by_id(tweets)
        self.places = _by_id(places)
        self._authors: dict[str, Author] = {}

    def author(self, author_id: str | None, inline: Any) -> Author | None:
        """Return the author of an object that names ``author_id`` or carries the user itself."""
        key = author_id or (str(inline.get("id") or "") if isinstance(inline, dict) else "")
        if key in self._authors:
            return self._authors[key]
        user = self.users.get(key) or (inline if isinstance(inline, dict) and inline.get("username") else None)
        author = author_of(key, user) if key and user else None
        if author:
            self._authors[key] = author
        return author


def tweet_of_json(raw: bytes, includes: Includes) -> NewTweet:
    """Return the tweet in the JSON of one object, of v2 or of v1.1.

    Raises ``Unusable``, and ``ValueError`` where a member that is not stored by itself is not JSON.
    """
    try:
        item = _read_object(raw)
        of_v1 = isinstance(item.user, dict) and is_v1(whole := orjson.loads(raw))
        if of_v1:
            item = msgspec.convert(as_v2(whole), _Object)
    except msgspec.DecodeError as error:
        raise Unusable("it is not a tweet object") from error
    except RecursionError as error:
        raise Unusable("it is nested too deeply") from error
    return _tweet(item, _own(_text_of(raw), item, of_v1=of_v1), includes)


def tweet_of_object(item: Any, usernames: Mapping[str, str], includes: Includes | None = None) -> NewTweet:
    """Return the tweet in one X API v2 object; ``usernames`` maps author ids to handles. Raises ``Unusable``."""
    if not isinstance(item, dict):
        raise Unusable("it is not a tweet object")
    try:
        raw = orjson.dumps(item)
    except orjson.JSONEncodeError as error:
        raise Unusable("it is nested too deeply, or holds a number of more than 64 bits") from error
    of_v1 = is_v1(item)
    if of_v1:
        item = as_v2(item)
    if not item.get("username") and not isinstance(item.get("author"), dict):
        author_id = _string(item.get("author_id"))
        item = {**item, "username": usernames.get(author_id or "")}
    read = msgspec.convert(item, _Object)
    return _tweet(read, _own(_text_of(raw), read, of_v1=of_v1), includes or Includes())


def _tweet(item: _Object, raw: str, includes: Includes) -> NewTweet:
    version = read_id(item.id)
    author_id = _string(item.author_id)
    author = includes.author(author_id, item.author)
    handle = item.username or (author.username if author else None) or _get(item.author, "username")
    places, place_source = _place(item, author, includes)
    retweet_of, original = _retweeted(item.referenced_tweets, includes)
    reply_to, replied = _replied(item, includes)
    tweet_id = _first_version(item.edit_history_tweet_ids, version)
    return NewTweet(
        id=tweet_id,
        username=read_username(handle, author_id),
        author_id=author_id,
        created_at=read_created_at(item.created_at, version),
        text=_whole_text(item),
        lang=read_lang(item.lang),
        metrics=metrics_of_object(item.public_metrics),
        raw=raw,
        version_id=0 if version == tweet_id else version,
        observed_at=includes.retrieved_at or _retrieved_at(item.retrieved),
        places=places,
        place_source=place_source,
        retweet_of=retweet_of,
        original=original,
        author=author,
        conversation_id=known_id(item.conversation_id),
        reply_to=reply_to,
        reply_to_username=replied,
    )


def _text_of(raw: bytes) -> str:
    if len(raw) > MAX_RAW_BYTES:
        raise Unusable(f"it is larger than {MAX_RAW_BYTES} bytes")
    if b"\\u0000" in raw and _holds_null(orjson.loads(raw)):
        raise Unusable("it holds a null character")
    return raw.decode()


def _own(raw: str, item: _Object, *, of_v1: bool) -> str:
    try:
        return own_json(raw, item.referenced_tweets, of_v1=of_v1)
    except orjson.JSONEncodeError as error:
        raise Unusable("it is nested too deeply") from error


def _holds_null(value: Any) -> bool:
    # Not recursive: an object may be nested more deeply than the interpreter can call.
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, str) and "\x00" in one:
            return True
        if isinstance(one, dict):
            waiting += [*one, *one.values()]
        elif isinstance(one, list):
            waiting += one
    return False


def _whole_text(item: _Object) -> str:
    # Of a long tweet ``text`` is the beginning only.
    note = _get(item.note_tweet, "text")
    try:
        return read_text(note if isinstance(note, str) else item.text)
    except Unusable:
        return read_text(item.text)


def _first_version(history: Any, version: int) -> int:
    """Return the id of a tweet's first version; its own where the history is missing or does not hold it."""
    if not isinstance(history, list) or len(history) < 2:
        return version
    ids = [int(key) for key in history if isinstance(key, str) and key.isascii() and key.isdigit() and len(key) <= 19]
    return min(ids) if version in ids else version


def _retweeted(references: Any, includes: Includes) -> tuple[int | None, NewTweet | None]:
    reference = _reference(references, "retweeted")
    return (None, None) if reference is None else _original(reference, includes)


def _replied(item: _Object, includes: Includes) -> tuple[int | None, str | None]:
    """Return the tweet that one answers, and who wrote that, where either is known."""
    reference = _reference(item.referenced_tweets, "replied_to")
    if reference is None:
        return None, None
    answered = includes.tweets.get(str(reference.get("id"))) or reference
    author_id = _string(answered.get("author_id")) or _string(item.in_reply_to_user_id)
    author = includes.author(author_id, answered.get("author"))
    if (key := known_id(reference.get("id"))) is None:
        return None, None
    return key, known_handle(author.username if author else reference.get("username"))


def _reference(references: Any, kind: str) -> dict[str, Any] | None:
    found = references if isinstance(references, list) else []
    return next((one for one in found if isinstance(one, dict) and one.get("type") == kind), None)


def _original(reference: dict[str, Any], includes: Includes) -> tuple[int | None, NewTweet | None]:
    try:
        key = read_id(reference.get("id"))
        item = includes.tweets.get(str(key)) or reference
        if "text" not in item:
            return key, None
        bare = {name: value for name, value in item.items() if name not in ("type", "referenced_tweets")}
        if reply := _reference(item.get("referenced_tweets"), "replied_to"):
            bare["referenced_tweets"] = [reply]
        return key, tweet_of_object(bare, {}, includes)
    except Unusable:
        return None, None


def _place(item: _Object, author: Author | None, includes: Includes) -> tuple[tuple[str, ...], str | None]:
    location = author.location if author else None
    if item.geo is None:
        return _place_of_author(location)
    place = includes.places.get(str(_get(item.geo, "place_id"))) or item.geo
    found, source = place_of(place, location)
    return tuple(found), source


@lru_cache(maxsize=20_000)
def _place_of_author(location: str | None) -> tuple[tuple[str, ...], str | None]:
    found, source = place_of(None, location)
    return tuple(found), source


def _retrieved_at(mark: Any) -> datetime | None:
    return read_time(_get(mark, "retrieved_at"))


def _get(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, dict) else None


def _by_id(items: Any) -> dict[str, dict[str, Any]]:
    if not isinstance(items, list):
        return {}
    return {str(item.get("id")): item for item in items if isinstance(item, dict)}


def _string(value: Any) -> str | None:
    return str(value)[:100] if isinstance(value, str | int) and not isinstance(value, bool) and value != "" else None
