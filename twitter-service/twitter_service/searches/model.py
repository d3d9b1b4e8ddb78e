"""Search jobs: what was asked of X, how far it is, what it brought and cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Literal, NotRequired, TypedDict

from twitter_service.billing.budget import Payer, Purpose
from twitter_service.x.query_builder import Search
from twitter_service.x.span import Span

Kind = Literal["search", "collection", "gap", "timeline"]
"""A search, the run of a collection, the filling of a gap of the stream, what an account wrote."""
State = Literal["queued", "running", "paused", "done", "failed"]


class SavedQuery(TypedDict):
    """A query as it came and is stored; the terms of ``entity`` join ``any_of``."""

    any_of: NotRequired[list[str]]
    all_of: NotRequired[list[str]]
    none_of: NotRequired[list[str]]
    hashtags: NotRequired[list[str]]
    mentions: NotRequired[list[str]]
    authors: NotRequired[list[str]]
    entity: NotRequired[str | None]
    location: NotRequired[str | None]
    lang: NotRequired[str | None]
    with_retweets: NotRequired[bool]


def search_of(query: SavedQuery) -> Search:
    """Return what the query builder takes; the entity is left out."""
    return Search(
        any_of=query.get("any_of", []),
        all_of=query.get("all_of", []),
        none_of=query.get("none_of", []),
        hashtags=query.get("hashtags", []),
        mentions=query.get("mentions", []),
        authors=query.get("authors", []),
        location=query.get("location"),
        lang=query.get("lang", "es"),
        with_retweets=query.get("with_retweets", False),
    )


@dataclass(frozen=True)
class SearchSpec:
    """What a caller wants to search for; the terms of ``entity`` join those of ``search``."""

    search: Search
    entity: str | None
    archive: bool
    days_back: int | None
    since: datetime | None
    until: datetime | None
    max_posts: int


@dataclass(frozen=True)
class NewJob:
    """A job to be queued; ``not_before`` None: at once."""

    id: str
    kind: Kind
    payer: Payer
    request: dict[str, Any]
    queries: Sequence[str]
    span: Span
    max_posts: int
    archive: bool = False
    idempotency_key: str | None = None
    collection_id: str | None = None
    not_before: datetime | None = None


@dataclass(frozen=True)
class ClaimedJob:
    """A job that this replica works on under ``claim``."""

    id: str
    kind: Kind
    collection_id: str | None
    tenant: str
    org: str
    purpose: Purpose
    queries: list[str]
    archive: bool
    starts_at: datetime | None
    ends_at: datetime | None
    since_id: int | None
    until_id: int | None
    max_posts: int
    attempts: int
    claim: str
    query_number: int
    next_token: str | None
    posts_read: int

    @property
    def may_pause(self) -> bool:
        """True for the run of a collection and the filling of a gap: what the budget cuts off is read later."""
        return self.kind in ("collection", "gap")

    @property
    def payer(self) -> Payer:
        """Whose budget is charged."""
        return Payer(self.tenant, self.purpose, self.org)

    @property
    def span(self) -> Span:
        """The part of the timeline that is read."""
        return Span(self.starts_at, self.ends_at, self.since_id, self.until_id)


@dataclass(frozen=True)
class PageProgress:
    """What one page brought, and where the next one begins."""

    query_number: int
    next_token: str | None
    read: int
    billed: int
    micro_usd: int
    stored: int
    duplicates: int
    rejected: int
    newest_id: int | None


@dataclass(frozen=True)
class JobRecord:
    """A job as callers see it."""

    id: str
    kind: Kind
    collection_id: str | None
    state: State
    error_code: str | None
    error: str | None
    request: dict[str, Any]
    queries: list[str]
    starts_at: datetime | None
    ends_at: datetime | None
    purpose: Purpose
    max_posts: int
    posts_read: int
    posts_billed: int
    stored: int
    rejected: int
    pages: int
    micro_usd: int
    complete: bool
    attempts: int
    not_before: datetime
    created_at: datetime
    finished_at: datetime | None

    @property
    def has_ended(self) -> bool:
        """True when nothing more will be read."""
        return self.state in ("done", "failed")


CLAIMED_COLUMNS = tuple(field.name for field in fields(ClaimedJob))
RECORD_COLUMNS = tuple(field.name for field in fields(JobRecord))
