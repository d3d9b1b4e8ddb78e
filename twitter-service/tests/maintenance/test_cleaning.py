"""After an upgrade, what only former releases store is removed."""

from __future__ import annotations

import asyncpg
import pytest

from castor_chassis import Postgres
from castor_chassis.storage.migrations import migrate
from twitter_service.maintenance.cleaning_repository import CleaningRepository

pytestmark = pytest.mark.asyncio(loop_scope="module")
KEPT = {
    1: '{"id_str":"1","full_text":"no","in_reply_to_status_id_str":"9"}',
    2: '{"referenced_tweets":[{"type":"quoted","id":"9"}],"text":"no"}',
}
GONE = {
    3: '{"text":"no","quoted_status":{"full_text":"ajeno"}}',
    4: '{"text":"no","retweeted_status":{"full_text":"ajeno"}}',
    **{
        number: f'{{"referenced_tweets":[{{"type":"{kind}","id":"9","text":"ajeno"}}],"text":"no"}}'
        for number, kind in enumerate(("quoted", "replied_to", "retweeted"), 5)
    },
}
ERASED = {8: '{"text":"borrado"}'}


async def test_json_with_other_tweets_and_words_of_erased_ones_go_after_an_upgrade(own_postgres_url: str) -> None:
    """A batch at a time, not before replicas of the former release have ended, and once."""
    await migrate(own_postgres_url, "twitter_service")
    connection, postgres = await asyncpg.connect(own_postgres_url), Postgres(own_postgres_url)
    await postgres.open()
    stored = {**KEPT, **GONE, **ERASED}
    await connection.executemany(
        "INSERT INTO tweets (id, username, created_at, text, raw, import_id, change_seq, deleted) "
        "VALUES ($1, 'ana', now(), 't', '{}', 'i', 1, $2)",
        [(number, number in ERASED) for number in stored],
    )
    await connection.executemany("INSERT INTO tweet_raw VALUES ($1, $2)", list(stored.items()))
    await connection.execute(
        "INSERT INTO tweet_search SELECT id, now(), id, to_tsvector('castor_es', text) FROM tweets"
    )
    await connection.execute("UPDATE tweets SET version_id = 11 WHERE id = 1")
    await connection.execute("INSERT INTO retweets VALUES (1, 20, 'r', now(), false), (11, 20, NULL, now(), true)")

    async def raws() -> dict[int, str]:
        return dict(await connection.fetch("SELECT tweet_id, raw FROM tweet_raw"))

    cleaning = CleaningRepository(postgres)
    assert not await cleaning.clean_next(3)
    assert await raws() == stored
    await connection.execute("UPDATE rollout_cleaning SET due_at = now()")
    assert [await cleaning.clean_next(3) for _ in range(5)] == [True, True, True, False, False]
    assert await raws() == KEPT
    assert await connection.fetchval("SELECT count(*) FROM tweets WHERE raw IS NOT NULL") == 0
    searched = await connection.fetch("SELECT tweet_id FROM tweet_search ORDER BY tweet_id")
    assert [row["tweet_id"] for row in searched] == [*KEPT, *GONE]
    retweets = await connection.fetch("SELECT original_id, author_id, deleted FROM retweets")
    assert [tuple(row) for row in retweets] == [(1, None, True)]
    await postgres.close()
    await connection.close()
