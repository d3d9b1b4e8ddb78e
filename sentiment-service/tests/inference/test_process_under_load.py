"""The service as a process: killed in mid-load, and asked for more than it can do."""

from __future__ import annotations

import asyncio
import json
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest

from castor_chassis.client.transport import httpx
from castor_chassis.testing import Authority

pytestmark = pytest.mark.alone
_REPLICA = Path(__file__).parents[1].joinpath("replica.py")
Client = httpx.AsyncClient
Start = Callable[..., AbstractAsyncContextManager[tuple[asyncio.subprocess.Process, Client]]]


@pytest.fixture
def start(authority: Authority, tmp_path: Path) -> Start:
    """``async with start(setting=value)``: a process that serves, and a client of it."""
    ours = authority.write(tmp_path / "service", "sentiment-service")
    theirs = authority.write(tmp_path / "caller", "twitter-service")

    @asynccontextmanager
    async def running(**given: object) -> AsyncIterator[tuple[asyncio.subprocess.Process, Client]]:
        files = map(str, (ours.certificate, ours.key, ours.authorities))
        process = await asyncio.create_subprocess_exec(
            sys.executable, str(_REPLICA), *files, json.dumps(given), stdout=asyncio.subprocess.PIPE
        )
        try:
            assert process.stdout is not None
            async with asyncio.timeout(90):
                while not (row := await process.stdout.readline()).startswith(b'{"url"'):
                    assert row, "the replica ended before it served"
            here = json.loads(row)
            drain = asyncio.create_task(process.stdout.read())
            headers = {"Authorization": f"Bearer {here['token']}"}
            async with Client(
                base_url=here["url"], verify=theirs.client_context(), headers=headers, trust_env=False, timeout=60
            ) as client:
                yield process, client
            drain.cancel()
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()

    return running


async def analyze(client: Client, number: int, count: int) -> int | str:
    """Return the status of an answer to ``count`` new texts, or ``died`` when the connection did."""
    texts = [f"Qué asco de corrupción, son unos ladrones {number} {n}" for n in range(count)]
    try:
        answer = await client.post("/v1/sentiment/analyze", json={"texts": texts})
    except httpx.TransportError:
        return "died"
    if answer.status_code == 200:
        assert answer.json()["data"]["summary"]["total"] == count
    if answer.status_code == 429:
        assert int(answer.headers["Retry-After"]) >= 1
    return answer.status_code


async def test_killed_in_mid_load_nobody_hangs(start: Start) -> None:
    """When the process is killed with many requests under way, each caller gets an answer or an error at once."""
    async with start(queue_max_seconds=600, queue_max_texts=100_000) as (process, client):
        calls = [asyncio.create_task(analyze(client, number, 40)) for number in range(32)]
        await asyncio.wait(calls, return_when=asyncio.FIRST_COMPLETED)
        process.kill()
        async with asyncio.timeout(60):
            outcomes = Counter(await asyncio.gather(*calls))
    assert set(outcomes) <= {200, "died"}
    assert outcomes[200] >= 1
    assert outcomes["died"] >= 1


async def test_more_than_it_can_do_is_refused_at_once(start: Start) -> None:
    """Far above its capacity each request is answered or refused with a time to come back; afterwards all is well."""
    async with start(queue_max_seconds=0.1) as (_, client):
        assert await analyze(client, 0, 50) == 200  # from here on the pace is known
        outcomes = Counter(await asyncio.gather(*(analyze(client, number, 50) for number in range(1, 101))))
        assert outcomes[200] >= 1
        assert outcomes[429] >= 1
        assert outcomes[200] + outcomes[429] == 100
        assert await analyze(client, 999, 50) == 200
