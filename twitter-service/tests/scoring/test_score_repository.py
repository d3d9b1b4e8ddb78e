"""Answers to a text that was edited while it was being scored: they are dropped, and the new text is scored."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import asyncpg
import pytest
import pytest_asyncio

from castor_chassis import Postgres
from twitter_service.matching.entities import Matcher
from twitter_service.rejudging.answer_repository import AnswerRepository
from twitter_service.scoring.score_repository import ScoreRepository, TweetScore, UnscoredTweet
from twitter_service.tweets.batch import Batch
from twitter_service.tweets.model import NewTweet
from twitter_service.tweets.repository import TweetRepository

from ..conftest import FIRST_ID

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module")
async def postgres(database: asyncpg.Connection, migrated: str) -> AsyncIterator[Postgres]:  # noqa: ARG001
    """An empty store."""
    made = Postgres(migrated)
    await made.open()
    yield made
    await made.close()


async def stored(postgres: Postgres, version: int) -> UnscoredTweet:
    """Store a version of the tweet, and return it as it waits for its sentiment."""
    at = datetime(2022, 5, 1, tzinfo=UTC)
    tweet = NewTweet(FIRST_ID, "ana", None, at, f"text {version}", version_id=FIRST_ID + version if version else 0)
    revision = await postgres.fetchval("SELECT entity_revision FROM feed_state")
    assert await TweetRepository(postgres).add(Batch.of([tweet], Matcher([]), revision), "x")
    (waiting,) = await ScoreRepository(postgres).unscored(10, [])
    return waiting


def score(of: UnscoredTweet) -> TweetScore:
    return TweetScore(of.id, of.version_id, 0.8, 0.1, 0.1, "positive")


async def test_the_sentiment_of_the_text_before_an_edit_is_dropped(postgres: Postgres) -> None:
    """It is neither stored nor counted; the new text waits, and its own answer is stored."""
    scores = ScoreRepository(postgres)
    before, after = await stored(postgres, 0), await stored(postgres, 1)
    assert (before.text, after.text) == ("text 0", "text 1")
    assert await scores.save([score(before)], "m@1") == 0
    assert await scores.unscored(10, []) == [after]
    assert await scores.save([score(after)], "m@1") == 1
    assert await scores.save([score(after)], "m@1") == 0
    assert tuple(await postgres.fetchrow("SELECT scored, unscorable FROM feed_state") or ()) == (1, 0)


async def test_that_the_text_before_an_edit_was_refused_is_dropped(postgres: Postgres) -> None:
    """An edit may have mended the text, so it is tried."""
    scores = ScoreRepository(postgres)
    before, after = await stored(postgres, 0), await stored(postgres, 1)
    await scores.mark_unscorable(before, "refused")
    assert await scores.unscored(10, []) == [after]
    await scores.mark_unscorable(after, "refused")
    assert await scores.unscored(10, []) == []
    assert await postgres.fetchval("SELECT unscorable FROM feed_state") == 1


async def test_a_new_model_s_answer_to_the_text_before_an_edit_is_dropped(postgres: Postgres) -> None:
    """Also where the new text has been scored meanwhile under the version that counts."""
    answers, scores = AnswerRepository(postgres), ScoreRepository(postgres)
    before = await stored(postgres, 0)
    await scores.save([score(before)], "m@1")
    after = await stored(postgres, 1)
    await scores.save([score(after)], "m@1")
    assert await answers.collect_texts([score(before)]) == 0
    assert await answers.collect_refusal(before, "refused") == 0
    assert await answers.collect_texts([score(after)]) == 1
