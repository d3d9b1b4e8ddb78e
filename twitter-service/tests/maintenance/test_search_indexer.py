"""The full-text index follows what is stored."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest

from castor_chassis import Postgres, Wakeup
from castor_chassis.testing import until
from twitter_service.maintenance import search_indexer
from twitter_service.maintenance.import_pause import ImportPause
from twitter_service.maintenance.search_index_repository import SearchIndexRepository
from twitter_service.maintenance.search_indexer import SearchIndexer
from twitter_service.matching.entities import Matcher
from twitter_service.tweets.batch import Batch
from twitter_service.tweets.model import NewTweet
from twitter_service.tweets.repository import TweetRepository

from ..conftest import Twitter, numbered


class _StoredTooLate:
    """An index for which a tweet is stored just after the first look has seen none."""

    def __init__(self, wakeup: Wakeup) -> None:
        self._wakeup = wakeup
        self._looks = 0
        self.looked_again = asyncio.Event()

    async def add_next(self, _limit: int) -> tuple[int, int]:
        self._looks += 1
        if self._looks == 1:
            self._wakeup.set()
        else:
            self.looked_again.set()
        return 0, 0


async def test_tweets_stored_during_a_look_are_indexed_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The indexer looks again at once when tweets were stored while it looked."""
    monkeypatch.setattr(search_indexer, "POLL_SECONDS", 3600.0)
    wakeup = Wakeup()
    index: Any = _StoredTooLate(wakeup)
    pause = ImportPause(lambda: False, max_seconds=0, poll_seconds=0.01)
    running = asyncio.ensure_future(SearchIndexer(index, pause, wakeup).run())
    try:
        async with asyncio.timeout(60):
            await index.looked_again.wait()
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


@pytest.mark.asyncio(loop_scope="module")
async def test_a_tweet_erased_while_it_is_indexed_leaves_no_words(database: asyncpg.Connection, migrated: str) -> None:
    """Its text was read before the erasure, its words are stored after it; the change of the erasure removes them."""
    postgres = Postgres(migrated)
    await postgres.open()
    tweets, index = TweetRepository(postgres), SearchIndexRepository(postgres)
    at = datetime(2022, 5, 1, tzinfo=UTC)
    revision = await database.fetchval("SELECT entity_revision FROM feed_state")
    await tweets.add(Batch.of([NewTweet(5, "ana", None, at, "secreto")], Matcher([]), revision), "x")
    # What holds the key of the row makes the index wait between its look at the text and its writing.
    holding = database.transaction()
    await holding.start()
    await database.execute("INSERT INTO tweet_search VALUES (5, $1, 5, '')", at)
    indexing = asyncio.ensure_future(index.add_next(10))

    async def is_waiting() -> bool:
        sql = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        return bool(await postgres.fetchval(sql))

    await until(is_waiting)
    assert await tweets.erase([5]) == [5]
    await holding.rollback()
    await indexing
    assert await database.fetchval("SELECT count(*) FROM tweet_search") == 1
    await index.add_next(10)
    assert await database.fetchval("SELECT count(*) FROM tweet_search") == 0
    await postgres.close()


@pytest.mark.asyncio(loop_scope="module")
async def test_the_words_of_a_large_import_are_found_in_the_end(twitter: Twitter) -> None:
    """Full-text search shows every stored tweet once the index has caught up, and says how far behind it is."""
    await twitter.imported(numbered(3000, text="palabra{}"))
    await twitter.settled()
    assert [t["text"] for t in (await twitter.data("/tweets", q="palabra2999"))["items"]] == ["palabra2999"]
