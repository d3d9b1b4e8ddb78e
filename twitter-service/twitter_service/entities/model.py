"""Tracked entities: candidates, parties and topics."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal, TypedDict

Kind = Literal["candidate", "party", "topic"]


@dataclass(frozen=True)
class NewEntity:
    """Whom or what to track, and the terms by which a tweet counts for it."""

    id: str
    name: str
    kind: Kind
    handles: list[str]
    aliases: list[str]
    hashtags: list[str]
    colour: str | None
    datasets: list[str]
    """Data sets that it is an entity of; empty: all of them."""

    def is_in(self, dataset: str | None) -> bool:
        """True for an entity of this data set; None stands for all tweets."""
        return dataset is None or not self.datasets or dataset in self.datasets


@dataclass(frozen=True)
class Entity(NewEntity):
    """A tracked entity. ``matching`` is True while stored tweets are still being matched against its terms."""

    matching: bool
    created_at: datetime


class EntityChanges(TypedDict, total=False):
    """Fields of an entity to change."""

    name: str
    kind: Kind
    handles: list[str]
    aliases: list[str]
    hashtags: list[str]
    colour: str | None
    datasets: list[str]


@dataclass(frozen=True)
class EntityCount:
    """Tweets of one day or hour that count for one entity; columns as ``CountsRepository`` selects them."""

    start: date | datetime
    """A day of America/Bogota, or when an hour begins."""
    entity: str
    tweets: int
    scored: int
    targeted: int
    positive: int
    neutral: int
    negative: int
    total_tweets: int
    """All tweets of the day or hour, whomever they count for."""
    gap: bool
    """True when no tweet at all is stored of it."""
    model: str | None
    """The version of the sentiment model whose answers count; None: not known yet, any counts."""


@dataclass(frozen=True)
class AxisCount:
    """Tweets on one axis; ``mentions`` are all axes that these tweets name, two for a tweet on two."""

    axis: str
    tweets: int
    mentions: int


@dataclass(frozen=True)
class AxesCount:
    """Tweets of one day of America/Bogota that count for one entity, by axis."""

    day: date
    entity: str
    tweets: int
    with_axis: int
    """Of them, those that name an axis."""
    gap: bool
    """True when no tweet at all is stored of the day."""
    axes: list[AxisCount]
    """Those that are named, by slug."""


@dataclass(frozen=True)
class TotalCount:
    """All tweets of a span of days, tracked or not; ``models`` scored them."""

    tweets: int
    scored: int
    positive: int
    neutral: int
    negative: int
    models: list[str]
