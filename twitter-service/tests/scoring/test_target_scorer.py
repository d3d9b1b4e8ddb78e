"""The worker that asks what tweets say for or against their entities."""

# A file of its own: the service that other tests share would hold the lease on this work.

from __future__ import annotations

import asyncio
from typing import Any

import asyncpg
import pytest

from castor_chassis.testing.peer import Call

from ..conftest import FIRST_ID, TARGETS, Start, answer_targets, csv_of

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_each_pair_once_and_the_oldest_first(start_twitter: Start, database: asyncpg.Connection) -> None:
    """Each pair of a tweet and an entity it names is asked for once, by age; an author not named is no target."""
    rows = [(FIRST_ID + n, "petro", f"2022-05-01T10:00:{n:02}Z", f"con Petro y Fico {n}") for n in reversed(range(60))]
    quiet = [(FIRST_ID + 100 + n, "petro", "2022-05-01T10:00:00Z", "nada") for n in range(20)]
    async with start_twitter(target_batch_size=7) as twitter:
        await twitter.track("Petro", "Fico")
        await twitter.imported(csv_of([*rows, *quiet]))
        await twitter.settled()
        pairs = [(int(key) - FIRST_ID, target) for key, targets in twitter.asked_targets() for target in targets]
        assert pairs == [(n, target) for n in range(60) for target in ("Fico", "Petro")]
        assert await database.fetchval("SELECT count(*) FROM tweet_entities WHERE needs_target") == 0


async def test_more_entities_than_fit_one_question(start_twitter: Start) -> None:
    """A tweet that names more entities than sentiment-service takes at once is asked about in turns."""
    names = [f"Persona{chr(65 + n)}" for n in range(13)]
    async with start_twitter() as twitter:
        await twitter.track(*names)
        await twitter.imported(
            csv_of([(FIRST_ID, "ana", "2022-05-01T10:00:00Z", " ".join(f"contra {n}" for n in names))])
        )
        await twitter.settled()
        assert max(len(targets) for _, targets in twitter.asked_targets()) == 10
        assert len((await twitter.data(f"/tweets/{FIRST_ID}"))["towards"]) == 13


async def test_the_peer_fails_for_targets_alone(start_twitter: Start) -> None:
    """While judging fails the texts are scored, counts use these, the pairs are visibly waiting, and arrive later."""
    async with start_twitter(breaker_fail_max=100) as twitter:
        await twitter.track("Petro")
        twitter.sentiment.routes[TARGETS] = lambda _call: (
            503,
            {"ok": False, "error": "busy", "code": "overloaded"},
            {},
        )
        await twitter.imported(csv_of([(FIRST_ID, "ana", "2022-05-01T10:00:00Z", "qué bien ir contra Petro")]))
        async with asyncio.timeout(60):
            while (found := await twitter.data("/scores/progress"))["pending"] or not twitter.asked_targets():
                await asyncio.sleep(0.05)
        assert found["targets_pending"] == 1
        day = (await twitter.data("/counts/daily", until="2022-05-01"))["items"][0]
        assert (day["positive"], day["negative"], day["targeted"]) == (1, 0, 0)
        twitter.sentiment.routes[TARGETS] = answer_targets
        await twitter.settled()
        day = (await twitter.data("/counts/daily", until="2022-05-01"))["items"][0]
        assert (day["positive"], day["negative"], day["targeted"]) == (0, 1, 1)


async def test_a_text_that_is_refused_does_not_block_the_rest(start_twitter: Start) -> None:
    """A text that sentiment-service will not judge keeps the sentiment of its whole text; the others are judged."""

    def picky(call: Call) -> tuple[int, Any, dict[str, str]]:
        if b"Petro 7" in call.body:
            return 422, {"ok": False, "error": "not this", "code": "validation_error"}, {}
        return answer_targets(call)

    async with start_twitter() as twitter:
        await twitter.track("Petro")
        twitter.sentiment.routes[TARGETS] = picky
        rows = [(FIRST_ID + n, "ana", f"2022-05-01T10:00:{n:02}Z", f"bien contra Petro {n} fin") for n in range(10, 20)]
        await twitter.imported(csv_of([*rows, (FIRST_ID, "ana", "2022-05-01T09:00:00Z", "bien contra Petro 7 fin")]))
        await twitter.settled()
        day = (await twitter.data("/counts/daily", until="2022-05-01"))["items"][0]
        assert (day["tweets"], day["targeted"], day["negative"], day["positive"]) == (11, 10, 10, 1)
