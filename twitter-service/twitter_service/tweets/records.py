"""What is read back: tweets, their earlier texts, their changes and their authors; and which tweets to read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import msgspec

from twitter_service.tweets.search_syntax import Search


class StoredTweet(msgspec.Struct, frozen=True, gc=False):
    """A tweet as it is listed; in the order of the columns that ``TweetRepository`` selects."""

    id: int
    username: str
    author_id: str | None
    created_at: datetime
    text: str
    lang: str | None
    metrics: dict[str, int] | None
    import_id: str
    version_id: int | None
    retweet_of: int | None
    conversation_id: int | None
    reply_to: int | None
    axes: list[str]
    places: list[str]
    place_source: Literal["tweet", "author"] | None
    positive: float | None
    neutral: float | None
    negative: float | None
    label: str | None
    model: str | None
    datasets: list[str]
    entities: list[str]
    retweets: int
    earlier_versions: int
    credibility: float
    towards: list[dict[str, Any]]
    """Entity, label, shares, basis and model of each sentiment towards an entity."""
    counted_as: list[str]
    """``entity:label`` for each entity that it counts for, with the label that counts use.

    That is the label towards the entity where it was judged, else that of the text; none before it is scored.
    """


@dataclass(frozen=True)
class TweetVersion:
    """A text that an edit has replaced."""

    version_id: int
    created_at: datetime
    text: str


@dataclass(frozen=True, kw_only=True)
class TweetFilter:
    """Which tweets to list; all conditions hold. ``before`` is the (created_at, id) where the last page ended."""

    dataset: str | None = None
    entity: str | None = None
    label: str | None = None
    author: str | None = None
    q: Search | None = None
    axis: str | None = None
    place: str | None = None
    lang: str | None = None
    min_credibility: float | None = None
    since: datetime | None = None
    until: datetime | None = None
    as_of: datetime | None = None
    before: tuple[datetime, int] | None = None
    limit: int = 50


@dataclass(frozen=True)
class AuthorRecord:
    """What is known of an author. ``score`` is None until the author is assessed; ``reasons`` explain it."""

    username: str
    created_at: datetime | None
    followers: int | None
    following: int | None
    tweets: int | None
    verified: bool | None
    location: str | None
    score: float | None
    reasons: list[dict[str, Any]]


class Change(msgspec.Struct, frozen=True, gc=False):
    """The latest change of one tweet; of an erased tweet only the id and the times are left."""

    change_seq: int
    id: int
    username: str
    created_at: datetime
    text: str
    lang: str | None
    deleted: bool
    entities: list[str]
    axes: list[str]
    places: list[str]
    positive: float | None
    neutral: float | None
    negative: float | None
    label: str | None
    model: str | None
    datasets: list[str]
    conversation_id: int | None
    reply_to: int | None
    reply_to_username: str | None
    retweet_of: int | None
