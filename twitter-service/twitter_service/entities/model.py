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
