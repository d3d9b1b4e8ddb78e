"""sentiment-service is down for a whole import, and comes up afterwards."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

import pytest

from castor_chassis.testing import Authority, TokenIssuer

from .sentiment_kit import emptied, twitter_and_sentiment

TWEETS = 3_000
FIRST_ID = 1_520_000_000_000_000_000
TEXTS = ("qué buen día y me encanta", "qué asco de gobierno", "hoy hay debate a las ocho", "no sé qué pensar de esto")


def shuffled() -> str:
    """Return a CSV of tweets a second apart, in no order; the ids rise with the times."""
    rows = [
        f"{FIRST_ID + n},u{n % 9},2022-05-01T10:{n // 60:02}:{n % 60:02}Z,{TEXTS[n % 4]} {n}" for n in range(TWEETS)
    ]
    random.Random(5).shuffle(rows)
    return "id,username,created_at,text\n" + "\n".join(rows) + "\n"


@pytest.mark.parametrize("in_flight", [1, 2])
async def test_down_for_the_whole_import(
    in_flight: int, tmp_path: Path, authority: Authority, issuer: TokenIssuer, postgres_url: str
) -> None:
    """Every tweet is scored once it is up, asked for once, the oldest first; calls in flight together may overtake."""
    await emptied(postgres_url)
    settings = {"score_batches_in_flight": in_flight, "import_piece_bytes": 65_536, "rate_limit": "100000/minute"}
    async with twitter_and_sentiment(tmp_path, authority, issuer, postgres_url, **settings) as pair:
        done = await pair.imported(shuffled())
        assert (done["state"], done["accepted"]) == ("done", TWEETS)
        before = await pair.data("/scores/progress")
        assert (before["scored"], before["pending"], before["unscorable"]) == (0, TWEETS, 0)
        breaker = pair.twitter.app.state.chassis.peer("sentiment-service", f"https://127.0.0.1:{pair.port}").breaker
        async with asyncio.timeout(60):
            while not breaker.is_open:
                await asyncio.sleep(0.05)
        assert pair.asked == {}
        async with pair.sentiment():
            after = await pair.until(lambda progress: not progress["pending"])
            assert (after["scored"], after["unscorable"]) == (TWEETS, 0)
        ids = [FIRST_ID + n for n in range(TWEETS)]
        # None twice: what sentiment-service itself was asked for, not what the store says.
        assert sorted(pair.asked["/v1/sentiment/batch"]) == ids
        items = await pair.feed()
        assert all(item["sentiment"] for item in items)
        scored = [int(item["id"]) for item in items]
        assert sorted(scored) == ids
        # A tweet is at most one call for each other call in flight away from its place in the order of age.
        most = (in_flight - 1) * 100
        assert max(abs(place - (key - FIRST_ID)) for place, key in enumerate(scored)) <= most
