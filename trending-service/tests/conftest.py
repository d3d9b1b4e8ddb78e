"""A stream of tweets for the tests of trending-service, and the service with a scripted twitter-service."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from castor_chassis import Postgres
from castor_chassis.storage.migrations import migrate
from castor_chassis.testing import Authority, RunningService, ScriptedPeer, TokenIssuer, run_service, tls_settings
from trending_service.app import create_app
from trending_service.clients.twitter import TweetChange
from trending_service.coordination.service import CoordinationService
from trending_service.ingest.feed_consumer import last_changes, terms_by_tweet
from trending_service.settings import TrendingSettings
from trending_service.signals.feed_repository import FeedRepository
from trending_service.signals.hours_repository import HoursRepository
from trending_service.signals.model import AppliedPage
from trending_service.signals.repository import SignalRepository
from trending_service.topics.finder import Finder
from trending_service.topics.model import Method
from trending_service.wiring.services import method_of

sys.path.append(str(Path(__file__).parent))  # for what the test modules share

FEED = "/v1/twitter/tweets/feed"
Fill = Callable[..., Awaitable[AppliedPage]]
Run = Callable[..., AbstractAsyncContextManager[RunningService]]
SettingsOf = Callable[..., dict[str, Any]]


@dataclass
class Stream:
    """Changes of tweets as twitter-service numbers them."""

    changes: list[dict[str, Any]] = field(default_factory=list)
    _ids: count[int] = field(default_factory=lambda: count(1_500_000_000_000_000_000))

    def tweet(self, at: datetime, author: str, text: str, **more: Any) -> dict[str, Any]:
        """Add a tweet and return its change."""
        moment = at.astimezone(UTC).isoformat().replace("+00:00", "Z")
        return self.change(id=str(next(self._ids)), username=author, created_at=moment, text=text, **more)

    def change(self, **values: Any) -> dict[str, Any]:
        """Add a change of a tweet; an id that was there before makes it a later state of that tweet."""
        made = {"entities": [], "lang": "es", "deleted": False, "sentiment": None, "retweet_of": None, **values}
        self.changes.append({**made, "seq": len(self.changes) + 1})
        return self.changes[-1]

    def score(self, change: dict[str, Any], label: str) -> dict[str, Any]:
        """Add the state of a tweet after it was scored."""
        scores = {"positive": 0.1, "neutral": 0.1, "negative": 0.1, label: 0.8}
        return self.change(**{**change, "sentiment": {**scores, "label": label, "model": "test"}})

    def serve(self, peer: ScriptedPeer) -> None:
        """Let ``peer`` answer the feed as twitter-service does."""
        peer.routes[FEED] = lambda call: (200, self._page(int(call.query["after"]), int(call.query["limit"])), {})

    def _page(self, after: int, limit: int) -> dict[str, Any]:
        items = self.changes[after : after + limit]
        reached = after + len(items)
        meta = {"next_cursor": str(reached), "at_end": reached == len(self.changes)}
        return {"ok": True, "data": {"items": items}, "meta": meta}


@pytest.fixture
def stream() -> Stream:
    """An empty stream."""
    return Stream()


@pytest.fixture
def method() -> Method:
    """How the service finds topics by default."""
    return method_of(TrendingSettings())


@pytest.fixture
async def database(postgres_url: str) -> str:
    """URL of a migrated database without a tweet."""
    await migrate(postgres_url, "trending_service")
    postgres = Postgres(postgres_url)
    await postgres.open()
    # Deleting a few rows is 20 times as quick as giving every partition and index a new file.
    tables = "tweets term_days stream_hours stale_hours trends trend_events watch_events watches"
    await postgres.execute(";".join(f"DELETE FROM {table}" for table in tables.split()))
    await postgres.execute("UPDATE feed_state SET next_cursor = 0, tweets = 0, caught_up_at = NULL")
    await postgres.close()
    return postgres_url


@pytest.fixture
async def postgres(database: str) -> AsyncIterator[Postgres]:
    """The pool of an empty database."""
    made = Postgres(database)
    await made.open()
    yield made
    await made.close()


@pytest.fixture
def signals(postgres: Postgres) -> SignalRepository:
    """Counts of an empty database."""
    return SignalRepository(postgres)


@pytest.fixture
def hours(postgres: Postgres) -> HoursRepository:
    """Counts by hour of an empty database."""
    return HoursRepository(postgres)


async def _at_once(function: Callable[..., Any], *args: Any) -> Any:
    return function(*args)


@pytest.fixture
def finder(signals: SignalRepository, hours: HoursRepository, method: Method) -> Finder:
    """Finds topics as the service does by default."""
    return Finder(signals, hours, CoordinationService(signals, _at_once), method, _at_once)


@pytest.fixture
def feed(postgres: Postgres) -> FeedRepository:
    """The stored feed, empty."""
    return FeedRepository(postgres)


@pytest.fixture
def fill(feed: FeedRepository) -> Fill:
    """Return ``fill(changes, next_cursor=None)``: apply changes as one page of the feed."""

    async def apply(changes: Sequence[dict[str, Any]], next_cursor: int | None = None) -> AppliedPage:
        latest = last_changes([TweetChange.model_validate(change) for change in changes])
        deleted = [int(change.id) for change in latest if change.deleted]
        return await feed.apply(terms_by_tweet(latest), deleted, next_cursor or changes[-1]["seq"])

    return apply


@pytest.fixture
async def twitter(
    authority: Authority, issuer: TokenIssuer, tmp_path: Path, stream: Stream
) -> AsyncIterator[ScriptedPeer]:
    """A peer that is both twitter-service with ``stream`` and auth-service."""
    peer = ScriptedPeer()
    token = issuer.service_token("trending-service", "twitter-service", ["feed:read"], "none")
    peer.routes["/v1/auth/token"] = lambda _call: (200, {"access_token": token, "expires_in": 300}, {})
    stream.serve(peer)
    async with peer.listening(authority.write(tmp_path / "twitter", "twitter-service")):
        yield peer


@pytest.fixture
def settings_of(authority: Authority, tmp_path: Path, database: str, twitter: ScriptedPeer) -> SettingsOf:
    """Return ``settings_of(**more)``: settings of a replica on ``database`` that follows ``twitter``."""
    files = authority.write(tmp_path / "trending", "trending-service")
    urls = {"database_url": database, "twitter_url": twitter.url, "auth_url": twitter.url, "feed_wait_seconds": 0}
    return lambda **more: {**tls_settings(files), **urls, **more}


@pytest.fixture
def running(authority: Authority, issuer: TokenIssuer, tmp_path: Path, settings_of: SettingsOf) -> Run:
    """Return ``running(**settings)``: the service, its client with a token that may read trends."""
    caller = authority.write(tmp_path / "ingress", "ingress")

    @asynccontextmanager
    async def run(**settings: Any) -> AsyncIterator[RunningService]:
        made = TrendingSettings(**settings_of(**settings))
        async with run_service(create_app(made, keys=issuer), made, client_files=caller) as service:
            service.client.headers["Authorization"] = "Bearer " + issuer.user_token(["trends:read"])
            await service.ready()
            yield service

    return run
