"""What the tests of the API share: tweets with one topic that bursts, and waiting for the feed."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from castor_chassis.testing import RunningService

if TYPE_CHECKING:
    from conftest import Stream

NOON = datetime(2022, 5, 29, 12, tzinfo=UTC)
AS_OF = {"as_of": "2022-05-29T12:00:00Z"}
TOPICS = "/v1/trending/topics"


def tell(stream: Stream) -> None:
    """Give the stream 27 days of usual tweets and six of one that bursts."""
    for day in range(1, 28):
        for number in range(5):
            at = NOON - timedelta(days=day, hours=number)
            stream.tweet(at, f"author{number}", f"salud educación {number} variedad{day}{number}x")
    for number in range(6):
        at = NOON - timedelta(minutes=90 * number)
        stream.tweet(at, f"author{number}", f"#ParoNacional en vereda{'abcdef'[number]} profunda")


async def followed(service: RunningService, cursor: int) -> dict[str, Any]:
    """Wait until the feed is followed up to ``cursor`` and its end was seen."""
    for _ in range(500):
        status = (await service.client.get("/v1/trending/status")).json()["data"]
        if int(status["cursor"]) >= cursor and status["lag_seconds"] is not None:
            return dict(status)
        await asyncio.sleep(0.02)
    raise TimeoutError(f"the feed is not followed to {cursor}: {status}")


async def topics(service: RunningService, **params: Any) -> dict[str, Any]:
    """Return the answer to a question for topics."""
    answer = await service.client.get(TOPICS, params={**AS_OF, "min_tweets": 3, **params})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())
