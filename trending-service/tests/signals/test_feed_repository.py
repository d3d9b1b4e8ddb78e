"""Exactly once, on a real PostgreSQL: scores, deletions, crashes, two followers."""

from __future__ import annotations

import asyncio
import unicodedata
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import asyncpg
import pytest

from castor_chassis import Postgres
from trending_service.clients.twitter import TweetChange
from trending_service.ingest.feed_consumer import terms_by_tweet
from trending_service.signals.feed_repository import FeedRepository
from trending_service.signals.model import TweetTerms, Window
from trending_service.signals.repository import SignalRepository
from trending_service.signals.scope_index_repository import ScopeIndexRepository

if TYPE_CHECKING:
    from conftest import Fill, Stream

NOON = datetime(2022, 5, 29, 12, tzinfo=UTC)


async def _counts(postgres: Postgres) -> tuple[int, int, int]:
    row = await postgres.fetchrow(
        "SELECT (SELECT count(*) FROM tweets), (SELECT count(*) FROM tweets, string_to_table(terms, E'\\n')), "
        "(SELECT tweets FROM feed_state)"
    )
    assert row is not None
    return tuple(row)


async def test_a_tweet_that_comes_twice_is_stored_once_with_its_last_label(
    postgres: Postgres, fill: Fill, stream: Stream
) -> None:
    """At once and when scored: one row, its terms once, the label of the score."""
    change = stream.tweet(NOON, "ana", "reforma pensional")
    assert (await fill([change])).added == 1
    scored = await fill([stream.score(change, "negative")])
    assert (scored.added, scored.updated, scored.terms) == (0, 1, 0)
    assert await _counts(postgres) == (1, 3, 1)
    assert await postgres.fetchval("SELECT label FROM tweets") == "negative"


async def test_both_states_in_one_page_are_one_tweet(postgres: Postgres, fill: Fill, stream: Stream) -> None:
    """The last state of a page wins."""
    change = stream.tweet(NOON, "ana", "reforma pensional")
    await fill([change, stream.score(change, "positive")])
    assert await _counts(postgres) == (1, 3, 1)
    assert await postgres.fetchval("SELECT label FROM tweets") == "positive"


async def test_a_changed_text_replaces_the_terms(postgres: Postgres, fill: Fill, stream: Stream) -> None:
    """An edited tweet has the terms of its new text only."""
    change = stream.tweet(NOON, "ana", "reforma pensional")
    await fill([change])
    await fill([stream.change(**{**change, "text": "fracking"})])
    assert await postgres.fetch("SELECT terms FROM tweets") == [("fracking",)]
    assert await _counts(postgres) == (1, 1, 1)


@pytest.mark.parametrize(
    "text",
    [
        "reforma pensional en el congreso hoy https://paz.co/b", "reforma pensional en el congreso hoy @eva",
        "reforma pensional 2027 en el congreso hoy", "Reforma Pensional en el congreso hoy",
    ],
)  # fmt: skip
async def test_an_edit_that_near_duplicates_share_replaces_the_terms(
    postgres: Postgres, fill: Fill, stream: Stream, text: str
) -> None:
    """Another link, mention, number or spelling: the terms are those of the new text, its hour is counted anew."""
    change = stream.tweet(NOON, "ana", "reforma pensional en el congreso hoy")
    await fill([change])
    await postgres.execute("DELETE FROM stale_hours")
    done = await fill([stream.change(**{**change, "text": text})])
    (wanted,) = terms_by_tweet([TweetChange.model_validate({**change, "text": text})])
    row = await postgres.fetchrow("SELECT terms, spellings FROM tweets")
    assert row is not None
    spelt = [new or key for key, new in zip(row["terms"].split("\n"), row["spellings"].split("\n"), strict=True)]
    assert dict(zip(row["terms"].split("\n"), spelt, strict=True)) == wanted.terms
    assert (done.added, done.updated, await postgres.fetchval("SELECT count(*) FROM stale_hours")) == (0, 1, 1)


async def test_what_was_stored_before_retweets_were_told_apart_is_not_written_again(
    postgres: Postgres, fill: Fill, stream: Stream
) -> None:
    """After an upgrade a score changes the label only."""
    change = stream.tweet(NOON, "ana", "reforma pensional")
    await fill([change])
    await postgres.execute("UPDATE tweets SET is_retweet = NULL")
    assert (await fill([stream.score(change, "negative")])).terms == 0
    assert await postgres.fetchval("SELECT is_retweet FROM tweets") is False


async def test_a_twitter_service_of_before_says_nothing_of_retweets(
    postgres: Postgres, fill: Fill, stream: Stream
) -> None:
    """Not known is stored, takes nothing back that is known, and is filled in without writing the tweet again."""
    told = stream.tweet(NOON, "ana", "RT @diario: reforma pensional", retweet_of="5")
    silent = {name: value for name, value in told.items() if name != "retweet_of"}
    known = "SELECT is_retweet FROM tweets"
    await fill([silent])
    assert await postgres.fetchval(known) is None
    assert (await fill([told], 2)).terms == 0
    assert await postgres.fetchval(known) is True
    assert (await fill([silent], 3)).terms == 0
    assert await postgres.fetchval(known) is True


async def test_a_scope_that_no_tweet_has_is_found_out_by_an_index(
    signals: SignalRepository, postgres: Postgres, fill: Fill, stream: Stream
) -> None:
    """A misspelled place is known to be none without reading every tweet."""
    await fill([stream.tweet(NOON, "ana", "paz", places=["cali"])])
    await ScopeIndexRepository(postgres).ensure()
    assert await signals.unknown_scope(["place:cali", "place:kali"]) == "place:kali"
    async with postgres.transaction() as connection:
        await connection.execute("SET LOCAL enable_seqscan = off")
        plan = await connection.fetch("EXPLAIN SELECT 1 FROM tweets WHERE scopes @> ARRAY['place:kali']")
    assert not [row[0] for row in plan if "Seq Scan" in row[0]]


async def test_terms_and_spellings_stand_line_by_line(
    postgres: Postgres, signals: SignalRepository, fill: Fill, stream: Stream
) -> None:
    """Accents in any composition, a link, an entity whose name has a line feed: each term is read as it was written."""
    text = unicodedata.normalize("NFD", "#Educación en Bogotá https://paz.co/x") + " educación"
    change = stream.tweet(NOON, "ana", text, entities=["ana\nparra"])
    await fill([change])
    row = await postgres.fetchrow("SELECT terms, spellings, shared FROM tweets")
    assert row is not None
    keys = row["terms"].split("\n")
    assert len(keys) == len(row["spellings"].split("\n")) == len(set(keys))
    assert row["shared"] == ["link:paz.co/x", "#educacion"]
    wanted = ["#educacion", "bogota", "entity:ana parra", "link:paz.co/x", "educacion"]
    window = Window(NOON, NOON - timedelta(hours=1), NOON)
    found = await signals.spellings(window, {key: [int(change["id"])] for key in wanted})
    assert {key: (one.kind, one.text) for key, one in found.items()} == {
        "#educacion": ("hashtag", "#Educación"), "bogota": ("phrase", "Bogotá"), "educacion": ("phrase", "educación"),
        "entity:ana parra": ("entity", "ana parra"), "link:paz.co/x": ("link", "paz.co/x"),
    }  # fmt: skip


async def test_a_tweet_without_a_term_is_counted(signals: SignalRepository, fill: Fill, stream: Stream) -> None:
    """Stop words only: the tweet is there, in the window, with no term."""
    await fill([stream.tweet(NOON, "ana", "de la que no es"), stream.tweet(NOON, "luis", "paz")])
    seen = await signals.window(Window(NOON, NOON - timedelta(hours=1), NOON))
    assert (seen.stored, sorted(seen.terms)) == (2, ["", "paz"])


async def test_a_deleted_tweet_is_erased(postgres: Postgres, fill: Fill, stream: Stream) -> None:
    """Nothing of it remains, and deleting what never was here does no harm."""
    change = stream.tweet(NOON, "ana", "reforma pensional")
    await fill([change])
    gone = stream.change(id=change["id"], deleted=True, username="", created_at=None, text="")
    unknown = stream.change(id="7", deleted=True)
    assert (await fill([gone, unknown])).deleted == 1
    assert await _counts(postgres) == (0, 0, 0)


async def test_a_page_that_is_applied_again_changes_nothing(postgres: Postgres, fill: Fill, stream: Stream) -> None:
    """After a crash between commit and acknowledgement the same page comes once more."""
    page = [stream.tweet(NOON, "ana", "reforma pensional"), stream.tweet(NOON, "luis", "fracking")]
    await fill(page)
    assert (await fill(page)).added == 0
    assert await _counts(postgres) == (2, 4, 2)


async def test_a_page_that_fails_half_way_leaves_nothing_and_can_be_repeated(
    postgres: Postgres, feed: FeedRepository, fill: Fill, stream: Stream
) -> None:
    """The tweets, the terms and the cursor stand or fall together."""
    page = [stream.tweet(NOON, "ana", "reforma pensional"), stream.tweet(NOON, "luis", "fracking")]
    broken = TweetTerms(99, NOON, "eva", "eva", "no label", 1, (), {})
    entries = terms_by_tweet([TweetChange.model_validate(change) for change in page])
    with pytest.raises(asyncpg.CheckViolationError):
        await feed.apply([*entries, broken], [], 3)
    assert await _counts(postgres) == (0, 0, 0)
    assert (await feed.state()).cursor == 0
    await fill(page)
    assert await _counts(postgres) == (2, 4, 2)
    assert (await feed.state()).cursor == 2


async def test_two_followers_with_the_same_page_store_it_once(postgres: Postgres, fill: Fill, stream: Stream) -> None:
    """When a lost lease leaves two followers for a moment, the second finds its page applied."""
    page = [stream.tweet(NOON, f"author{number}", "reforma pensional") for number in range(20)]
    done = await asyncio.gather(*(fill(page) for _ in range(4)))
    assert sorted(applied.added for applied in done) == [0, 0, 0, 20]
    assert (await _counts(postgres))[::2] == (20, 20)


async def test_tweets_of_any_year_have_a_partition(postgres: Postgres, fill: Fill, stream: Stream) -> None:
    """Years beyond the prepared ones fall into the default partition."""
    years = (2006, 2018, 2022, 2035, 2040)
    await fill([stream.tweet(NOON.replace(year=year), "ana", "reforma pensional") for year in years])
    rows = await postgres.fetch("SELECT tableoid::regclass::text AS name FROM tweets ORDER BY created_at")
    assert [row["name"] for row in rows] == [
        "tweets_default", "tweets_2018", "tweets_2022", "tweets_2035", "tweets_default"
    ]  # fmt: skip
