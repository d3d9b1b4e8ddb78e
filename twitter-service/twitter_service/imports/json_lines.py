"""The tweets in one line of JSON: a tweet, a list of tweets, or a page of X, of twarc or of the API v1.1.

A line that is not JSON is rejected; of one that is JSON but for a part of it, only that part is left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import msgspec
import orjson

from twitter_service.imports.json_salvage import BROKEN, members, objects, repaired
from twitter_service.tweets.model import NewTweet, Unusable, read_time
from twitter_service.tweets.payloads.x_payload import Includes, tweet_of_json, tweet_of_object

_LIST = re.compile(r'"(?:data|results|statuses)"\s*:\s*\[')
_INCLUDES = re.compile(r'"includes"\s*:\s*\{')
_RETRIEVED = re.compile(r'"retrieved_at"\s*:\s*"([^"]+)"')


class _Line(msgspec.Struct):
    """The members that distinguish a page from a tweet."""

    id: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    data: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    results: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    statuses: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    includes: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    meta: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    errors: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    retrieved: Any = msgspec.field(default=None, name="__twarc")

    @property
    def tweets(self) -> msgspec.Raw | msgspec.UnsetType:
        """The member that holds the tweets: ``data`` in v2, ``results`` or ``statuses`` in v1.1."""
        return next((part for part in (self.data, self.results, self.statuses) if part is not msgspec.UNSET), self.data)

    @property
    def is_page(self) -> bool:
        """True for an answer of X, whether it holds tweets or not."""
        parts = (self.tweets, self.includes, self.meta, self.errors)
        return self.id is msgspec.UNSET and any(part is not msgspec.UNSET for part in parts)


class _Included(msgspec.Struct):
    users: Any = None
    tweets: Any = None
    places: Any = None


_read_line = msgspec.json.Decoder(_Line).decode
_read_raws = msgspec.json.Decoder(list[msgspec.Raw]).decode
_read_included = msgspec.json.Decoder(_Included).decode


def tweets_of_line(line: bytes) -> Iterator[NewTweet | str]:
    """Yield the tweets of one line, or the reason why one is none."""
    if line.lstrip()[:1] not in (b"{", b"["):
        yield _parse_error(line, "it is not a tweet object")
        return
    try:
        # All of them before the first is given: where one is broken, the line is read in another way.
        found = list(_found(*_decoded(line)))
    except (ValueError, RecursionError) as error:
        found = list(_found_in_broken(line, str(error)))
    yield from found


def _found_in_broken(line: bytes, error: str) -> Iterator[NewTweet | str]:
    mended = repaired(line)
    try:
        found = list(_found(*_decoded(mended)))
    except (ValueError, RecursionError):
        found = list(_salvaged(mended.decode(), _parse_error(line, f"it is no tweet and no page: {error}")))
    yield from found


def _found(raws: list[msgspec.Raw], is_page: bool, includes: Includes) -> Iterator[NewTweet | str]:
    for number, raw in enumerate(raws, 1):
        try:
            yield tweet_of_json(bytes(raw), includes)
        except Unusable as error:
            yield f"tweet {number} of the page: {error}" if is_page else str(error)


def _decoded(line: bytes) -> tuple[list[msgspec.Raw], bool, Includes]:
    """Return the objects in a line, whether it is a page, and its expansions; raises ``ValueError``."""
    if line.lstrip()[:1] == b"[":
        return _read_raws(line), True, Includes()
    value = _read_line(line)
    if not value.is_page:
        return [msgspec.Raw(line.strip())], False, Includes()
    included = _Included() if value.includes is msgspec.UNSET else _read_included(value.includes)
    retrieved = value.retrieved.get("retrieved_at") if isinstance(value.retrieved, dict) else None
    includes = Includes(included.users, included.tweets, included.places, read_time(retrieved))
    if isinstance(value.tweets, msgspec.UnsetType):
        return [], True, includes
    data = bytes(value.tweets)
    return (_read_raws(data) if data[:1] == b"[" else [msgspec.Raw(data)]), True, includes


def _salvaged(text: str, error: str) -> Iterator[NewTweet | str]:
    """Yield what can be read of a line that is not JSON even after its escapes were mended."""
    opening = _LIST.search(text)
    if opening is None and text.lstrip()[:1] == "{":
        found = members(text)
        yield error if not found or "id" not in found else _tweet(found, Includes(), error)
        return
    start = opening.end() if opening else text.index("[") + 1
    includes = _includes_of_broken(text)
    # Expansions may hold tweets too, which are no rows of the page.
    expansions = _INCLUDES.search(text, start)
    items = list(objects(text[: expansions.start()] if expansions else text, start))
    for number, item in enumerate(items, 1):
        tweet = error if item is BROKEN else _tweet(item, includes, error)
        yield f"tweet {number} of the page: {tweet}" if isinstance(tweet, str) else tweet
    if not items:
        yield error


def _tweet(item: Any, includes: Includes, error: str) -> NewTweet | str:
    try:
        return tweet_of_object(item, {}, includes)
    except Unusable as reason:
        return f"{reason} ({error})"


def _includes_of_broken(text: str) -> Includes:
    begin = _INCLUDES.search(text)
    lists: dict[str, list[Any]] = {}
    for name in ("users", "tweets", "places") if begin else ():
        opening = re.compile(rf'"{name}"\s*:\s*\[').search(text, begin.end() if begin else 0)
        lists[name] = (
            [item for item in objects(text, opening.end(), of_tweets=False) if item is not BROKEN] if opening else []
        )
    retrieved = _RETRIEVED.search(text)
    return Includes(**lists, retrieved_at=read_time(retrieved[1]) if retrieved else None)


def _parse_error(line: bytes, otherwise: str) -> str:
    try:
        orjson.loads(line)
    except orjson.JSONDecodeError as wrong:
        return f"it is not JSON: {wrong.msg} at character {wrong.pos + 1}"
    return otherwise
