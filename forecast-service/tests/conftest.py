"""A twitter-service that counts, and forecast-service in front of it."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from castor_chassis import Postgres
from castor_chassis.storage.migrations import migrate
from castor_chassis.testing import Authority, RunningService, ScriptedPeer, TokenIssuer, run_service, tls_settings
from castor_chassis.testing.peer import Call
from castor_chassis.tls import TlsIdentity
from forecast_service.app import create_app
from forecast_service.settings import ForecastSettings

FIRST_DAY = date(2026, 3, 1)


IN_A_YEAR = date.today() + timedelta(days=366)
LAST_DAYS = {"ana": IN_A_YEAR, "vieja": date(2026, 5, 1), "constanza": IN_A_YEAR}
"""Entities, and the last day on which anybody wrote about them."""


def by_axis(call: Call) -> tuple[int, Any, dict[str, str]]:
    """Answer counts by axis: half of the tweets name the economy, half of these health as well."""
    status, answer, headers = counted(call)
    if status == 200:
        answer["data"]["items"] = [axes_of(day) for day in answer["data"]["items"]]
    return status, answer, headers


def axes_of(day: dict[str, Any]) -> dict[str, Any]:
    """Return a day as counts by axis say it."""
    both, alone = day["tweets"] // 4, day["tweets"] // 4
    axes = [
        {"axis": "economia", "tweets": both + alone, "mentions": 2 * both + alone},
        {"axis": "salud", "tweets": both, "mentions": 2 * both},
    ]
    own = {name: day[name] for name in ("date", "entity", "tweets", "gap")}
    return {**own, "with_axis": both + alone, "axes": axes if both else []}


def counted(call: Call) -> tuple[int, Any, dict[str, str]]:
    """Answer counts from FIRST_DAY on, with a weekly rhythm, a gap every 20th day, and no data before.

    Nothing changes about 'constanza', and of 'vieja' nothing is known after May 1. Without an entity all are counted.
    """
    entities = [call.query["entity"]] if "entity" in call.query else list(LAST_DAYS)
    if not set(entities) <= set(LAST_DAYS):
        return 404, {"ok": False, "error": "no such entity", "code": "entity_not_found", "request_id": "x"}, {}
    day, until = date.fromisoformat(call.query["since"]), date.fromisoformat(call.query["until"])
    items = []
    while day <= until:
        items += [day_of(entity, day) for entity in entities]
        day += timedelta(days=1)
    return 200, {"ok": True, "data": {"items": items}, "meta": {"next_cursor": None}}, {}


def day_of(entity: str, day: date) -> dict[str, Any]:
    """Return the counts of an entity on a day."""
    number = (day - FIRST_DAY).days
    gap = number < 0 or number % 20 == 19 or day > LAST_DAYS[entity]
    number = 0 if entity == "constanza" else number
    tweets = 0 if gap else 20 + number % 7
    positive = 0 if gap else round(tweets * (0.5 + 0.2 * math.sin(number * 2 * math.pi / 7)))
    return {
        "date": day.isoformat(),
        "entity": entity,
        "tweets": tweets,
        "scored": tweets,
        "positive": positive,
        "neutral": 0,
        "negative": tweets - positive,
        "total_tweets": 0 if gap else 60,
        "gap": gap,
        "targeted": tweets // 4,
        "model": "words@1+rules1",
    }


@pytest.fixture
async def twitter(authority: Authority, issuer: TokenIssuer, tmp_path: Path) -> AsyncIterator[ScriptedPeer]:
    """twitter-service, auth-service and, for tests that add its route, trending-service in one."""
    peer = ScriptedPeer()
    peer.routes["/v1/twitter/counts/daily"] = counted
    peer.routes["/v1/twitter/counts/axes"] = by_axis
    own = TlsIdentity(authority.write(tmp_path, "forecast-service"))
    assert own.client is not None
    token = issuer.service_token("forecast-service", "twitter-service", ["counts:read"], "thumb")
    peer.routes["/v1/auth/token"] = lambda _call: (200, {"access_token": token, "expires_in": 300}, {})
    async with peer.listening(authority.write(tmp_path, "twitter-service")):
        yield peer


@pytest.fixture
async def service(
    authority: Authority, issuer: TokenIssuer, twitter: ScriptedPeer, postgres_url: str, tmp_path: Path
) -> AsyncIterator[RunningService]:
    await migrate(postgres_url, "forecast_service")
    settings = ForecastSettings(
        **tls_settings(authority.write(tmp_path, "forecast-service")),
        database_url=postgres_url,  # type: ignore[arg-type]
        auth_url=twitter.url,
        twitter_url=twitter.url,
        trending_url=twitter.url,
        trends_timeout_seconds=20,
        peer_attempts=1,
    )
    async with run_service(create_app(settings, keys=issuer), settings) as running:
        await running.ready(60)
        running.client.headers["Authorization"] = f"Bearer {issuer.user_token(['forecasts:read'])}"
        yield running


@pytest.fixture
async def postgres(postgres_url: str) -> AsyncIterator[Postgres]:
    """An open pool on a migrated database."""
    await migrate(postgres_url, "forecast_service")
    pool = Postgres(postgres_url)
    await pool.open()
    yield pool
    await pool.close()
