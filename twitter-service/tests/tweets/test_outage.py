"""PostgreSQL away and back."""

from __future__ import annotations

import asyncio

import pytest

from castor_devstack.stack.postgres import EmbeddedPostgres

from ..conftest import Start, numbered

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_postgres_away_and_back(start_twitter: Start, postgres_server: EmbeddedPostgres) -> None:
    """Without PostgreSQL reads and writes answer 503 and readiness says degraded; with it all heals by itself."""
    async with start_twitter() as twitter:
        await twitter.imported(numbered(300))
        await asyncio.to_thread(postgres_server.stop)
        for path in ("/tweets", "/tweets/feed", "/entities", "/counts/daily", "/scores/progress", "/tweets/1"):
            response = await twitter.get(path)
            assert (response.status_code, response.json()["code"]) == (503, "database_unavailable"), path
            assert "retry-after" in response.headers
        assert (await twitter.upload(numbered(10, start=5))).status_code == 503
        assert (await twitter.send("POST", "/entities", {"id": "a", "name": "A", "kind": "topic"})).status_code == 503
        is_ready, parts = await twitter.service.pair.chassis.health.report()
        assert is_ready
        assert parts["database"].startswith("degraded: ")
        await asyncio.to_thread(postgres_server.start)
        await twitter.service.ready()
        assert (await twitter.imported(numbered(10, start=5)))["accepted"] == 10
        async with asyncio.timeout(60):
            while (progress := await twitter.data("/scores/progress"))["pending"]:
                await asyncio.sleep(0.1)
        assert progress["scored"] == 310
