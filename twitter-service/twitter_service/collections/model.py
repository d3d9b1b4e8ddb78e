"""Collections: saved searches that are kept up, on a schedule or by the stream."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from twitter_service.billing.budget import Payer, Purpose
from twitter_service.searches.model import SavedQuery

Mode = Literal["search", "stream"]


@dataclass(frozen=True)
class NewCollection:
    """A search that is to be kept up."""

    id: str
    name: str
    mode: Mode
    query: SavedQuery
    purpose: Purpose
    every_seconds: int
    max_posts: int


@dataclass(frozen=True)
class Collection:
    """An organisation's collection and how far it is.

    ``since_id``: up to it every post is stored, or waits in the filling of a gap.
    """

    key: str
    """Its name inside this service: two organisations may use the same id."""
    org: str
    id: str
    name: str
    mode: Mode
    query: SavedQuery
    tenant: str
    purpose: Purpose
    every_seconds: int
    max_posts: int
    enabled: bool
    since_id: int | None
    next_run_at: datetime
    streaming: bool
    connects: int
    error_code: str | None
    error: str | None
    missed_since: datetime | None
    """With ``missed_until``: the span in which posts were no longer found when they were to be read."""
    missed_until: datetime | None
    created_at: datetime

    @property
    def payer(self) -> Payer:
        """Whose budget is charged."""
        return Payer(self.tenant, self.purpose, self.org)


@dataclass(frozen=True)
class UnfinishedJob:
    """A job of a collection that is not finished."""

    id: str
    state: Literal["queued", "running", "paused"]
