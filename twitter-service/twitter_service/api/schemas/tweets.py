"""The wire: what is sent and answered. Times are UTC, shares in [0, 1], ids text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, WithJsonSchema

from castor_chassis import Integer, RequestModel, ResponseModel, Text, Timestamp
from twitter_service.imports.file_reader import Format
from twitter_service.queries.service import BOGOTA
from twitter_service.tweets.repository import FeedState

Label = Literal["positive", "neutral", "negative"]
Kind = Literal["candidate", "party", "topic"]
TweetId = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,19}$")]
TweetCursor = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,17}-[0-9]{1,19}$")]
Axis = Literal[
    "seguridad", "infraestructura", "gobernanza", "educacion", "salud", "igualdad", "paz", "economia", "medioambiente",
    "alimentacion",
]  # fmt: skip
PlaceSlug = Annotated[str, StringConstraints(pattern=r"^[a-z]+(-[a-z]+)*$", max_length=40)]
EntityId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]


def _bogota_day(value: Any) -> Any:
    # A moment stands for the day it lies in where the tweets are read. Pydantic alone takes numbers for dates.
    if not isinstance(value, str) or _DATE.fullmatch(value):
        return value
    moment = datetime.fromisoformat(value)
    if moment.tzinfo is None:
        raise ValueError("must be a day such as 2022-05-29, or a moment with its offset")
    try:
        return moment.astimezone(BOGOTA).date()
    except OverflowError as error:
        raise ValueError("is outside the range of years 1 to 9999") from error


_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
Day = Annotated[
    date,
    BeforeValidator(_bogota_day),
    WithJsonSchema({"anyOf": [{"type": "string", "format": "date"}, {"type": "string", "format": "date-time"}]}),
]


class RejectedLine(ResponseModel):
    """A record that was left out."""

    line: Integer = Field(description="Physical line of the file, from 1, on which the record begins.")
    reason: str


class Import(ResponseModel):
    """What became of a file. ``rows`` = ``accepted`` + ``duplicates`` + ``rejected``."""

    id: str
    format: Format
    filename: str | None
    state: Literal["running", "done", "failed"]
    error: str | None = Field(description="Why the import failed; null if it did not.")
    rows: Integer
    accepted: Integer
    duplicates: Integer = Field(description="Tweets that were stored already, or earlier in the same file.")
    rejected: Integer
    refreshed: Integer = Field(description="Of the duplicates, those that brought an edit or newer metrics.")
    retweets: Integer = Field(description="Of the accepted, retweets that are counted under the tweet they repeat.")
    bytes_read: Integer = Field(description="Of the unpacked file, up to the last line that is stored.")
    bytes_total: Integer | None = Field(description="Of the file as it was sent; null if the sender did not say.")
    resumed: Integer = Field(description="How often the import went on where it had broken off.")
    rejections: list[RejectedLine] = Field(description="The first 1,000.")
    entities_created: list[str]
    authors_left_out: Integer = Field(description="Authors that did not become entities, because only some do.")
    first_tweet_at: Timestamp | None = Field(description="Oldest tweet of the file, duplicates included.")
    last_tweet_at: Timestamp | None
    started_at: Timestamp
    finished_at: Timestamp | None


def _without_sign(value: str) -> str:
    return value.lstrip("@#")


Handle = Annotated[str, StringConstraints(pattern=r"^@?[A-Za-z0-9_]{1,50}$"), AfterValidator(_without_sign)]
Hashtag = Annotated[str, StringConstraints(pattern=r"^#?[0-9A-Za-z_À-ɏ]{1,100}$"), AfterValidator(_without_sign)]
Alias = Annotated[Text, StringConstraints(min_length=1, max_length=100)]
Name = Annotated[Text, StringConstraints(min_length=1, max_length=100)]
Colour = Annotated[str, StringConstraints(pattern=r"^#[0-9A-Fa-f]{6}$")]


class NewEntity(RequestModel):
    """Whom or what to track."""

    id: EntityId
    name: Name
    kind: Kind
    handles: list[Handle] = Field(default=[], max_length=50, description="Accounts; authoring or mention counts.")
    aliases: list[Alias] | None = Field(
        default=None, max_length=100, description="Names in a text, on word boundaries. Null: the name alone."
    )
    hashtags: list[Hashtag] = Field(default=[], max_length=100)
    colour: Colour | None = None

    def values(self) -> dict[str, Any]:
        """Return the entity with its default alias."""
        return {**self.model_dump(), "aliases": [self.name] if self.aliases is None else self.aliases}


class EntityChange(RequestModel):
    """What to change; a field that is left out or null stays as it is, except that a null colour removes it."""

    name: Name | None = None
    kind: Kind | None = None
    handles: list[Handle] | None = Field(default=None, max_length=50)
    aliases: list[Alias] | None = Field(default=None, max_length=100)
    hashtags: list[Hashtag] | None = Field(default=None, max_length=100)
    colour: Colour | None = None

    def values(self) -> dict[str, Any]:
        """Return the fields to change."""
        sent = self.model_dump(exclude_unset=True)
        return {name: value for name, value in sent.items() if value is not None or name == "colour"}


class Entity(ResponseModel):
    """A tracked candidate, party or topic."""

    id: str
    name: str
    kind: Kind
    handles: list[str]
    aliases: list[str]
    hashtags: list[str]
    colour: str | None
    matching: bool = Field(description="True while stored tweets are still being matched against its terms.")
    created_at: Timestamp


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


TARGETED = Field(
    description="Of the scored, those that are counted by what they say for or against the entity; the others by the "
    "sentiment of the whole text."
)


class DailyCount(ResponseModel):
    """Tweets that count for one entity on one day of America/Bogota."""

    date: date
    entity: str
    tweets: Integer
    scored: Integer
    targeted: Integer = TARGETED
    positive: Integer
    neutral: Integer
    negative: Integer
    total_tweets: Integer = Field(description="All stored tweets of that day, whomever they count for.")
    gap: bool = Field(description="True when no tweet at all is stored of that day: nothing was observed.")


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


class TotalCount(ResponseModel):
    """All tweets of a span of days, whomever they count for."""

    tweets: Integer
    scored: Integer
    positive: Integer
    neutral: Integer
    negative: Integer
    models: list[str] = Field(description="Models that scored them, '<id>@<version>'.")


class ErasureRequest(RequestModel):
    """Tweets that their authors deleted."""

    ids: list[TweetId] = Field(min_length=1, max_length=1000)


class Erasure(ResponseModel):
    """What was erased."""

    erased: list[str]
    unknown: list[str] = Field(description="Ids that are not stored, or erased already.")
