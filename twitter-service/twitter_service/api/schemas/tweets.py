"""The wire of tweets, the feed and erasures. Times are UTC, shares in [0, 1], ids text."""

from __future__ import annotations

from typing import Literal, Self

from msgspec import structs
from pydantic import Field

from castor_chassis import Integer, RequestModel, ResponseModel, Timestamp
from twitter_service.api.schemas.fields import Label, TweetId
from twitter_service.rejudging.model import Phase, RejudgingState
from twitter_service.scoring.service import Progress
from twitter_service.tweets.records import Change, StoredTweet, TweetVersion


class Sentiment(ResponseModel):
    """Scores of a tweet; the three shares sum to 1."""

    positive: float
    neutral: float
    negative: float
    label: Label
    model: str = Field(description="'<id>@<version>' of the model.")


def _sentiment(of: StoredTweet | Change) -> Sentiment | None:
    return None if of.label is None else Sentiment.model_validate(of, from_attributes=True)


def _ids(of: StoredTweet | Change, *names: str) -> dict[str, str | None]:
    values = ((name, getattr(of, name)) for name in names)
    return {name: None if value is None else str(value) for name, value in values}


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
    place_source: Literal["tweet", "author"] | None = Field(
        description="Who says so: the tweet by its place or, where its author has none, its text; null without a place."
    )
    version_id: str | None = Field(description="Id of the latest version of an edited tweet; else null.")
    earlier_versions: Integer = Field(description="Texts that edits have replaced.")
    retweet_of: str | None = Field(description="Of a retweet whose original is not stored, the original's id.")
    conversation_id: str | None = Field(None, description="The tweet that its conversation began with, where known.")
    reply_to: str | None = Field(None, description="The tweet that it answers; null: none, or the source says none.")
    retweets: Integer = Field(description="Retweets of it that were seen; they are no tweets of their own.")
    credibility: float = Field(description="Of its author, in [0.1, 1]; 0.5 where nothing is known.")
    import_id: str
    datasets: list[str] = Field([], description="Data sets that it is in.")
    sentiment: Sentiment | None = Field(description="Of the whole text; null until it is scored.")
    towards: list[EntitySentiment] = Field(
        description="Towards each entity that the text names, once it is judged; of the others the whole text speaks."
    )

    @classmethod
    def of(cls, tweet: StoredTweet) -> Self:
        """Return a stored tweet as it goes over the wire."""
        texts = _ids(tweet, "id", "version_id", "retweet_of", "conversation_id", "reply_to")
        return cls.model_validate({**structs.asdict(tweet), **texts, "sentiment": _sentiment(tweet)})


class EarlierVersion(ResponseModel):
    """A text that an edit has replaced."""

    version_id: str
    created_at: Timestamp
    text: str

    @classmethod
    def of(cls, version: TweetVersion) -> Self:
        """Return a version as it goes over the wire."""
        return cls(version_id=str(version.version_id), created_at=version.created_at, text=version.text)


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
    datasets: list[str] = Field([], description="Data sets that it is in; of a deleted tweet none.")
    conversation_id: str | None = Field(None, description="The tweet that its conversation began with, where known.")
    reply_to: str | None = Field(None, description="The tweet that it answers; null: none, or the source says none.")
    reply_to_username: str | None = Field(None, description="Who wrote the tweet that it answers, where known.")
    retweet_of: str | None = Field(
        None, description="Of a retweet whose original is not stored, the original's id, where the source says it."
    )
    sentiment: Sentiment | None

    @classmethod
    def of(cls, change: Change) -> Self:
        """Return a change as it goes over the wire."""
        names = {**_ids(change, "id", "conversation_id", "reply_to", "retweet_of"), "seq": change.change_seq}
        return cls.model_validate({**structs.asdict(change), **names, "sentiment": _sentiment(change)})


class Rejudging(ResponseModel):
    """Every stored tweet is being judged under a new version of the sentiment model."""

    model: str = Field(description="The version, '<id>@<version>+rules<version of the rules>'.")
    phase: Phase = Field(
        description="`texts`, then `targets`: its answers are collected, and counts use those of the version before. "
        "`switching`: counts use them, and tweets and the feed get them one after the other."
    )
    judged: Integer = Field(description="Texts, and pairs of a tweet and an entity, that were judged so far.")


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
    model: str | None = Field(
        None,
        description="The version of the sentiment model whose answers counts use; null: not known yet, all answers "
        "count. What was judged by another version counts as not scored.",
    )
    rejudging: Rejudging | None = None

    @classmethod
    def of(cls, progress: Progress, versions: RejudgingState) -> Self:
        """Return the totals as they go over the wire."""
        given = ("targets_pending", "model", "rejudging")
        fields = {name: getattr(progress.feed, name) for name in cls.model_fields if name not in given}
        active = versions.active
        return cls(
            **fields,
            targets_pending=progress.targets_pending,
            model=None if active is None else active.targets,
            rejudging=_rejudging(versions),
        )


def _rejudging(versions: RejudgingState) -> Rejudging | None:
    version = versions.active if versions.phase == "switching" else versions.coming
    if version is None:
        return None
    return Rejudging(model=version.targets, phase=versions.phase, judged=versions.judged)


class ErasureRequest(RequestModel):
    """Tweets that their authors deleted."""

    ids: list[TweetId] = Field(min_length=1, max_length=1000)


class Erasure(ResponseModel):
    """What was erased."""

    erased: list[str]
    unknown: list[str] = Field(description="Ids that are not stored, or erased already.")
