"""Replicas that are killed with SIGKILL while a burst comes in."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trending_support import followed, tell, topics

from castor_chassis import Postgres
from castor_chassis.testing import until

if TYPE_CHECKING:
    from conftest import Run, SettingsOf, Stream


@asynccontextmanager
async def _replica(settings: dict[str, Any]) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run a replica until it is killed, at the end of the block at the latest."""
    script = str(Path(__file__).parents[1].joinpath("replica.py"))
    given = json.dumps(settings, default=str)
    process = await asyncio.create_subprocess_exec(sys.executable, script, given, stdout=asyncio.subprocess.DEVNULL)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def test_replicas_that_are_killed_in_a_burst_leave_the_answer_of_an_undisturbed_run(
    running: Run, settings_of: SettingsOf, stream: Stream, postgres: Postgres
) -> None:
    """Two run; one is killed, then the other; a third goes on: every answer is that of one that was never killed."""
    tell(stream)
    last = len(stream.changes)

    async def answers() -> list[dict[str, Any]]:
        async with running() as service:
            status = await followed(service, last)
            line = await service.client.get(
                "/v1/trending/topics/%23paronacional/timeline", params={"as_of": "2022-05-29T12:00:00Z"}
            )
            return [await topics(service, window_hours=24), line.json()["data"], {"tweets": status["tweets"]}]

    async def stored() -> int:
        count: int = await postgres.fetchval("SELECT next_cursor FROM feed_state")
        return count

    undisturbed = await answers()
    assert undisturbed[0]["data"]["items"][0]["topic"] == "#ParoNacional"
    await postgres.execute("TRUNCATE tweets, term_days, stream_hours, stale_hours")
    await postgres.execute("UPDATE feed_state SET next_cursor = 0, tweets = 0, caught_up_at = NULL")
    late = stream.changes[100:]
    del stream.changes[100:]
    # Pages of one tweet: each kill comes between two transactions or within one.
    async with AsyncExitStack() as stack:
        replicas = [await stack.enter_async_context(_replica(settings_of(feed_page_size=1))) for _ in range(2)]
        for replica, least in zip(replicas, (20, 60), strict=True):

            async def passed(least: int = least) -> bool:
                return await stored() >= least

            await until(passed, 90)
            replica.kill()
            await replica.wait()
    stream.changes.extend(late)
    assert await answers() == undisturbed
