"""Tracked entities: candidates, parties and topics."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
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
