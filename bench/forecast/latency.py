"""Seconds of a forecast that is fresh and of one that is remembered, under 16 clients, in one run.

``python -m bench forecast_latency``: forecast-service with the settings that ship (one process that forecasts) on a
PostgreSQL of its own, over mutual TLS. 16 clients post a series of 90 days as soon as the answer before has come: first
series that nobody posted before, then one that all post. Printed: p50, p99 and answers a second of both, and their
ratio. The clients share the processors with the service.
"""

from __future__ import annotations

import asyncio
import random
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from bench.stores import postgres_server, url_in
from castor_chassis.storage.migrations import migrate
from castor_chassis.testing import Authority, RunningService, TokenIssuer, run_service, tls_settings
from forecast_service.app import create_app
from forecast_service.settings import ForecastSettings

CLIENTS, FRESH, REMEMBERED = 16, 10, 100
"""Clients, and requests of each."""
LAST = date(2026, 5, 29)


def series(seed: int) -> dict[str, Any]:
    """Return a question about 90 days with a weekly rhythm."""
    rng = random.Random(seed)
    values = [50 + 10 * (0, 0.8, 1, 0.4, -0.4, -1, -0.8)[day % 7] + rng.gauss(0, 3) for day in range(90)]
    items = [{"date": str(LAST - timedelta(days=89 - at)), "value": value} for at, value in enumerate(values)]
    return {"items": items, "as_of": "2026-05-30T15:00:00Z", "bounds": {"lower": 0, "upper": 100}}


async def load(name: str, post: Callable[[int], Awaitable[None]], requests: int) -> float:
    """Run all clients, print what they waited and return the median."""
    waited: list[float] = []

    async def client(number: int) -> None:
        for turn in range(requests):
            begun = time.perf_counter()
            await post(number * requests + turn)
            waited.append(time.perf_counter() - begun)

    begun = time.perf_counter()
    await asyncio.gather(*map(client, range(CLIENTS)))
    rate = len(waited) / (time.perf_counter() - begun)
    median, worst = statistics.median(waited), statistics.quantiles(waited, n=100)[-1]
    print(f"{name:11} p50 {1000 * median:8.1f} ms   p99 {1000 * worst:8.1f} ms   {rate:8.1f} a second")
    return median


async def measure(service: RunningService) -> None:
    """Measure fresh forecasts, then one that is remembered."""

    async def post(seed: int) -> None:
        answer = await service.client.post("/v1/forecast/series", json=series(seed), timeout=120)
        assert answer.status_code == 200, answer.text

    await post(-1)
    fresh = await load("fresh", post, FRESH)
    remembered = await load("remembered", lambda _: post(-1), REMEMBERED)
    print(f"a fresh forecast takes {fresh / remembered:.0f} times as long")


async def run(url: str, folder: Path) -> None:
    """Start the service and measure it."""
    await migrate(url, "forecast_service")
    issuer, authority = TokenIssuer(), Authority.create()
    settings = ForecastSettings(
        **tls_settings(authority.write(folder, "forecast-service")), database_url=url, rate_limit="1000000/second"
    )
    async with run_service(create_app(settings, keys=issuer), settings) as service:
        await service.ready(120)
        service.client.headers["Authorization"] = f"Bearer {issuer.user_token(['forecasts:read'])}"
        await measure(service)


def main() -> None:
    """Measure on a PostgreSQL of its own."""
    with postgres_server() as server, tempfile.TemporaryDirectory() as folder:
        asyncio.run(run(url_in(server), Path(folder)))
