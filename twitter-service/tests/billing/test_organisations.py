"""Budgets of organisations: what one collects and searches for leaves the others their own."""

from __future__ import annotations

import asyncio
from typing import Any

import asyncpg
import pytest

from ..conftest import Start, Twitter
from ..x_kit import empty_x, fake_x, finished, with_x

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def standing(twitter: Twitter, purpose: str) -> Any:
    """Return what the caller's organisation has left of a day."""
    budgets = (await twitter.data("/usage", purpose=purpose))["budgets"]
    return next(one for one in budgets if (one["level"], one["period"]) == ("organisation", "daily"))


async def test_collections_of_one_organisation_leave_the_others_their_share(
    start_twitter: Start, redis_url: str, database: asyncpg.Connection
) -> None:
    """Its collections pause and its searches get 402 at its share; another's work, and the ledger says who spent."""
    await empty_x(database)
    limits = {"x_daily_posts": 100, "x_organisation_shares": {"*": 0.3}}
    async with fake_x(400) as fake, with_x(start_twitter, fake, redis_url, **limits) as service:
        acme, alba = service.of("acme"), service.of("alba")
        body = {"id": "paro", "name": "Paro", "query": {"any_of": ["paro"]}, "max_tweets": 30}
        assert (await acme.send("POST", "/collections", body)).status_code == 201
        async with asyncio.timeout(100):
            while (await standing(acme, "trending"))["tweets_left"] > 0:
                await asyncio.sleep(0.2)
        refused = await acme.send("POST", "/searches", {"any_of": ["paro"], "max_tweets": 40})
        assert (refused.status_code, refused.json()["details"]["scope"]) == (402, "acme for analysis")

        search = await alba.send("POST", "/searches", {"any_of": ["paro"], "max_tweets": 10})
        assert search.status_code == 202, search.text
        found = await finished(alba, search.json()["data"])
        assert (found["state"], found["tweets_read"]) == ("done", 10)
        own = await standing(alba, "trending")
        assert (own["name"], own["tweets_limit"], own["tweets_left"]) == ("alba for trending", 30, 30)
