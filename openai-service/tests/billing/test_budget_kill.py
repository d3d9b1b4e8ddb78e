"""The holds of a replica that was killed."""

from __future__ import annotations

import asyncio
from typing import Any

import asyncpg
import pytest
from fake_openai import FakeOpenAI, Fault
from openai_support import Run

from castor_chassis.testing import replica, tls_settings, until
from castor_chassis.tls import TlsFiles
from openai_service.settings import OpenAISettings

pytestmark = pytest.mark.asyncio(loop_scope="module")

PATH = "/v1/openai/chat/completions"
BODY = {"model": "priced", "messages": [{"role": "user", "content": "hola"}], "max_tokens": 500}
HALF = 500_000_000
OPTIONS = {
    "price_table": {"priced": (0.0, 1000.0)},
    "budgets": {"total": 5},
    "chat_cache_seconds": 0,
    "allow_degraded": False,
    "openai_timeout_seconds": 8,
    "chat_timeout_seconds": 10,
    "budget_lease_seconds": 12,
}


async def test_a_killed_replica_leaves_no_phantom_after_the_lease(
    run: Run,
    upstream: FakeOpenAI,
    with_upstream: dict[str, Any],
    ledger: asyncpg.Connection,
    postgres_url: str,
    redis_url: str,
    files: TlsFiles,
    caller: TlsFiles,
) -> None:
    """After kill -9 the other replica waits for the dead one's money until the lease ends, and then has all of it."""
    upstream.script = [Fault("slow")] * 10
    urls = {"database_url": postgres_url, "redis_url": redis_url}
    settings = {**tls_settings(files), **urls, **with_upstream, **OPTIONS}

    async def held() -> int:
        amount: int = await ledger.fetchval("SELECT coalesce(sum(held_nano), 0)::bigint FROM budget_accounts")
        return amount

    async def all_held() -> bool:
        return await held() == 10 * HALF

    async with run(**with_upstream, **OPTIONS) as survivor:
        async with replica(OpenAISettings, settings, ["llm:use"], caller=caller) as dying:
            calls = [asyncio.ensure_future(dying.client.post(PATH, json=BODY)) for _ in range(10)]
            await until(all_held, 8)
            await dying.kill()
            await asyncio.gather(*calls, return_exceptions=True)
        upstream.script.clear()
        early = await survivor.client.post(PATH, json=BODY)
        assert (early.status_code, early.json()["code"]) == (429, "budget_held")

        async def released() -> bool:
            return (await survivor.client.post(PATH, json={**BODY, "max_tokens": 5000})).status_code == 200

        await until(released, 60)

        async def nothing_held() -> bool:
            return await held() == 0

        await until(nothing_held)
    assert await ledger.fetchval("SELECT count(*) FROM budget_holds") == 0
    assert await ledger.fetchval("SELECT spent_nano FROM budget_accounts WHERE account = 'total'") == HALF
