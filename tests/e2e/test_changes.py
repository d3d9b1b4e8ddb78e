"""Change points of forecast-service, with what was trending then from the real trending-service."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest

from castor_chassis import ServiceSettings
from castor_chassis.storage.migrations import migrate
from castor_chassis.testing import (
    Authority,
    RunningService,
    ScriptedPeer,
    TokenIssuer,
    run_service,
    tls_settings,
    until,
)
from castor_chassis.testing.peer import Answer, Call
from forecast_service.app import create_app as create_forecast
from forecast_service.settings import ForecastSettings
from trending_service.app import create_app as create_trending
from trending_service.settings import TrendingSettings

from .sentiment_kit import leased_port, thumbprint

FIRST, MOVED, DAYS, A_DAY = date(2022, 3, 1), date(2022, 4, 20), 80, 10
FIRST_ID = 1_520_000_000_000_000_000
ASKED = {"entity": "ana", "as_of": "2022-05-21T12:00:00Z", "dataset": "norte"}


def tweets() -> list[dict[str, Any]]:
    """Return changes of the feed: ten tweets a day about Ana, on one day eight of them about a dam."""
    made = []
    for number in range(DAYS * A_DAY):
        day, within = FIRST + timedelta(days=number // A_DAY), number % A_DAY
        about = "#PresaRota en la vereda" if day == MOVED and within < 8 else "la salud y la educación"
        moment = datetime.combine(day, time(13), UTC) + timedelta(hours=within)
        made.append({
            "id": str(FIRST_ID + number), "seq": number + 1, "username": f"u{within}", "lang": "es",
            "created_at": moment.isoformat().replace("+00:00", "Z"), "deleted": False, "entities": ["ana"],
            "datasets": ["norte"], "text": f"{about} {'abcdefghij'[within]}{number}x",
        })  # fmt: skip
    return made


def feed_of(changes: list[dict[str, Any]], call: Call) -> Answer:
    """Answer a page of the feed."""
    after = int(call.query["after"])
    items = changes[after : after + int(call.query["limit"])]
    meta = {"next_cursor": str(after + len(items)), "at_end": after + len(items) == len(changes)}
    return 200, {"ok": True, "data": {"items": items}, "meta": meta}, {}


def counts(call: Call) -> Answer:
    """Answer daily counts of Ana: from ``MOVED`` on the tweets are for her, before against her."""
    since, until_day = (date.fromisoformat(call.query[end]) for end in ("since", "until"))
    days = [since + timedelta(days=number) for number in range((until_day - since).days + 1)]
    items = [
        {
            "date": day.isoformat(), "entity": "ana", "tweets": seen, "scored": seen, "total_tweets": seen,
            "positive": seen if day >= MOVED else 0, "negative": 0 if day >= MOVED else seen,
        }
        for day in days
        for seen in [A_DAY if FIRST <= day < FIRST + timedelta(days=DAYS) else 0]
    ]  # fmt: skip
    return 200, {"ok": True, "data": {"items": items}, "meta": {"next_cursor": None}}, {}


@pytest.fixture
async def twitter(authority: Authority, tmp_path: Path) -> AsyncIterator[ScriptedPeer]:
    """A twitter-service with the feed and the counts of the same tweets."""
    changes = tweets()
    peer = ScriptedPeer()
    peer.routes["/v1/twitter/tweets/feed"] = lambda call: feed_of(changes, call)
    peer.routes["/v1/twitter/counts/daily"] = counts
    async with peer.listening(authority.write(tmp_path, "twitter-service")):
        yield peer


@dataclass(frozen=True)
class Parts:
    """What services of one test share."""

    folder: Path
    authority: Authority
    issuer: TokenIssuer
    twitter: ScriptedPeer

    @asynccontextmanager
    async def running(
        self, create: Any, kind: type[ServiceSettings], grants: dict[str, str], **own: Any
    ) -> AsyncIterator[RunningService]:
        """Run a service that gets tokens with the scopes of ``grants`` by peer, and wait until it is ready."""
        name = kind.service_name
        files = self.authority.write(self.folder, name)
        tokens = {
            peer: self.issuer.service_token(name, peer, [scope], thumbprint(files)) for peer, scope in grants.items()
        }

        def token(call: Call) -> Answer:
            audience = next(peer for peer in tokens if peer.encode() in call.body)
            return 200, {"access_token": tokens[audience], "expires_in": 300}, {}

        auth = ScriptedPeer(routes={"/v1/auth/token": token})
        async with auth.listening(self.authority.write(self.folder / name, "auth-service")):
            urls = {"auth_url": auth.url, "twitter_url": self.twitter.url}
            settings = kind(**{**tls_settings(files), **urls, **own})
            async with run_service(create(settings, keys=self.issuer), settings) as service:
                await service.ready()
                scopes = ["forecasts:read", "trends:read"]
                service.client.headers["Authorization"] = f"Bearer {self.issuer.user_token(scopes)}"
                yield service


async def changes_of(forecasts: RunningService) -> dict[str, Any]:
    """Return an answer about changes."""
    answer = await forecasts.client.get("/v1/forecast/changes", params=ASKED)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def test_changes_with_what_was_trending(
    tmp_path: Path,
    authority: Authority,
    issuer: TokenIssuer,
    twitter: ScriptedPeer,
    postgres_url: str,
    own_postgres_url: str,
) -> None:
    """The day is named with its topic once trending-service is there; before, the same day without a word of it."""
    await migrate(postgres_url, "forecast_service")
    await migrate(own_postgres_url, "trending_service")
    parts = Parts(tmp_path, authority, issuer, twitter)
    grants = {"twitter-service": "counts:read", "trending-service": "trends:read"}
    with leased_port() as port:
        own = {
            "database_url": postgres_url, "trending_url": f"https://127.0.0.1:{port}", "trends_timeout_seconds": 30,
            "breaker_reset_seconds": 0.1,
        }  # fmt: skip
        async with parts.running(create_forecast, ForecastSettings, grants, **own) as forecasts:
            alone = await changes_of(forecasts)
            (change,) = alone["data"]["items"]
            assert (change["date"], change["topics"]) == (MOVED.isoformat(), None)
            assert alone["meta"]["degraded"] == ["trending"]
            trending_own = {"database_url": own_postgres_url, "api_port": port, "feed_wait_seconds": 0}
            feed = {"twitter-service": "feed:read"}
            async with parts.running(create_trending, TrendingSettings, feed, **trending_own) as trending:

                async def is_known() -> bool:
                    body = await changes_of(forecasts)
                    return body["meta"]["degraded"] is None

                await until(is_known)
                body = await changes_of(forecasts)
                (change,) = body["data"]["items"]
                assert change["topics"][0]["topic"] == "#PresaRota"
                assert (change["topics"][0]["tweets"], change["topics"][0]["authors"]) == (8, 8)
                followed = await trending.client.get(change["trending"])
                assert [one["id"] for one in followed.json()["data"]["items"]][: len(change["topics"])] == [
                    one["id"] for one in change["topics"]
                ]
