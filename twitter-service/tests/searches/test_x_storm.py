"""Many searches at once while X fails in every way it can."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest

from castor_devstack.fake_x.faults import KINDS, Fault
from twitter_service.x import rate_limits

from ..conftest import Start, Twitter
from ..x_kit import empty_x, fake_x, stored_ids, with_x
from .test_searches import searched

IN_FLIGHT = 16
pytestmark = pytest.mark.asyncio(loop_scope="module")

BODIES = [
    {"any_of": [word], "all_of": [place], "max_tweets": 1000}
    for word in ("salud", "paro", "empleo", "educación", "corrupción", "seguridad", "medio ambiente")
    for place in ("Bogotá", "Cali", "Pasto", "Quibdó", "Medellín", "Cúcuta", "Barranquilla")
]


async def previewed(twitter: Twitter, body: object) -> tuple[int, float]:
    data = (await twitter.send("POST", "/searches/preview", body)).json()["data"]
    return data["tweets_to_read"], data["usd"]


@pytest.mark.timeout(240)
async def test_nothing_is_wasted_lost_doubled_or_unpaid(
    start_twitter: Start, redis_url: str, database: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """49 searches at once over small windows with 24 faults: no wasted 429, no post lost or stored twice, and
    each search reads what its preview said; the ledger's bill is X's."""
    await empty_x(database)
    # On a busy machine the reset is over when a 429 is read, and what it says no longer counts.
    monkeypatch.setattr(rate_limits, "BLIND_SECONDS", 1)
    settings = {"request_timeout_seconds": 110, "x_max_in_flight": IN_FLIGHT}
    async with fake_x(1500) as fake, with_x(start_twitter, fake, redis_url, **settings) as twitter:
        fake.limits.crossing_seconds = 60
        fake.limits.per_window |= {"search_recent": 40, "counts_recent": 40}
        previews = await asyncio.gather(*(previewed(twitter, body) for body in BODIES))
        fake.faults.plan([Fault(kind, "search_recent") for kind in KINDS for _ in range(3)], every=3)
        done = await asyncio.gather(*(searched(twitter, **body) for body in BODIES))
        assert sum(fake.faults.happened.values()) >= 20
        assert fake.limits.refused["wasted"] == 0
        # At most those that were on their way beside the three.
        assert fake.limits.refused["crossing"] <= 3 * (IN_FLIGHT - 1)
        assert {search["state"] for search in done} == {"done"}
        assert [search["tweets_read"] for search in done] == [count for count, _ in previews]
        truth = {key for search in done for query in search["queries"] for key in fake.corpus.find(query)}
        assert await stored_ids(database) == truth
        assert sum(search["tweets_stored"] for search in done) == len(truth)
        budget = (await twitter.data("/usage"))["budgets"][0]
        assert (budget["tweets_spent"], budget["tweets_reserved"]) == (fake.billed, 0)
