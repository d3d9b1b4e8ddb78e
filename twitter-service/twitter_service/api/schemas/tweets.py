"""The wire of tweets, the feed and erasures. Times are UTC, shares in [0, 1], ids text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import Field

from castor_chassis import Integer, RequestModel, ResponseModel, Timestamp
from twitter_service.api.schemas.fields import Label, TweetId
from twitter_service.tweets.repository import FeedState


class Sentiment(ResponseModel):
    """Scores of a tweet; the three shares sum to 1."""

    positive: float
    neutral: float
    negative: float
    label: Label
    model: str = Field(description="'<id>@<version>' of the model.")


def _sentiment(row: Mapping[str, Any]) -> Sentiment | None:
    return None if row["label"] is None else Sentiment.model_validate({**row})


class EntitySentiment(ResponseModel):
    """What a tweet says for or against one entity, which is not the sentiment of its text; the shares sum to 1."""

    entity: str
    positive: float
    neutral: float
    negative: float
    label: Label
    basis: str | None = Field(description="What it rests on, as sentiment-service names it; null: not judged, neutral.")
    model: str = Field(description="'<id>@<version>+rules<version>'.")


class Tweet(ResponseModel):
    """A stored tweet."""

    id: str
    username: str
    author_id: str | None
    created_at: Timestamp
    text: str
    lang: str | None
    metrics: dict[str, Integer] | None
    entities: list[str] = Field(description="Ids of the entities that it counts for.")
    axes: list[str] = Field(description="Axes of the Plan Nacional de Desarrollo that it speaks of.")
    places: list[str] = Field(description="Departments and cities of Colombia where it comes from.")
    place_source: Literal["tweet", "author"] | None = Field(description="Who says so; null without a place.")
    version_id: str | None = Field(description="Id of the latest version of an edited tweet; else null.")
    earlier_versions: Integer = Field(description="Texts that edits have replaced.")
    retweet_of: str | None = Field(description="Of a retweet whose original is not stored, the original's id.")
    retweets: Integer = Field(description="Retweets of it that were seen; they are no tweets of their own.")
    credibility: float = Field(description="Of its author, in [0.1, 1]; 0.5 where nothing is known.")
    import_id: str
    sentiment: Sentiment | None = Field(description="Of the whole text; null until it is scored.")
    towards: list[EntitySentiment] = Field(
        description="Towards each entity that the text names, once it is judged; of the others the whole text speaks."
    )

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Self:
        """Return a row of the store as it goes over the wire."""
        ids = {name: None if row[name] is None else str(row[name]) for name in ("id", "version_id", "retweet_of")}
        return cls.model_validate({**row, **ids, "sentiment": _sentiment(row)})


class EarlierVersion(ResponseModel):
    """A text that an edit has replaced."""

    version_id: str
    created_at: Timestamp
    text: str

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Self:
        """Return a row of the store as it goes over the wire."""
        return cls.model_validate({**row, "version_id": str(row["version_id"])})


class FeedItem(ResponseModel):
    """The latest change of a tweet. A deleted one has kept nothing but its id."""

    seq: Integer = Field(description="Number of the change; rises along the feed.")
    id: str
    username: str
    created_at: Timestamp
    text: str
    entities: list[str]
    axes: list[str]
    places: list[str]
    lang: str | None
    deleted: bool
    sentiment: Sentiment | None

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Self:
        """Return a row of the store as it goes over the wire."""
        return cls.model_validate({**row, "id": str(row["id"]), "seq": row["change_seq"], "sentiment": _sentiment(row)})


class ScoreProgress(ResponseModel):
    """How far scoring is. ``tweets`` = ``scored`` + ``pending`` + ``unscorable``."""

    tweets: Integer
    scored: Integer
    pending: Integer
    unscorable: Integer = Field(description="Tweets that sentiment-service refused.")
    oldest_pending_at: Timestamp | None
    targets_pending: Integer = Field(
        description="Pairs of a tweet and an entity of it that are still to be judged; at most a million are counted."
    )
    search_behind: Integer = Field(description="Changes of tweets that full-text search does not show yet.")
    feed_head: Integer = Field(description="Number of the newest change: whoever followed the feed so far has all.")

    @classmethod
    def of(cls, state: FeedState, targets_pending: int) -> Self:
        """Return what is stored as it goes over the wire."""
        fields = {name: getattr(state, name) for name in cls.model_fields if name != "targets_pending"}
        return cls(**fields, targets_pending=targets_pending)


class ErasureRequest(RequestModel):
    """Tweets that their authors deleted."""

    ids: list[TweetId] = Field(min_length=1, max_length=1000)


class Erasure(ResponseModel):
    """What was erased."""

    erased: list[str]
    unknown: list[str] = Field(description="Ids that are not stored, or erased already.")
