"""Imports over HTTP into a real database."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from castor_chassis.testing import until

from ..conftest import FIRST_ID, Start, Twitter, csv_of, numbered

REAL = Path(os.environ.get("CASTOR_REAL_TWEETS", "../shared/data/colombia_2022_tweets.csv"))

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_counts_and_span(twitter: Twitter) -> None:
    """An import tells how many rows it took and the span of time that they cover."""
    done = await twitter.imported(numbered(2500), filename="may.csv")
    assert (done["rows"], done["accepted"], done["duplicates"], done["rejected"]) == (2500, 2500, 0, 0)
    assert (done["first_tweet_at"], done["last_tweet_at"]) == ("2022-05-01T00:00:00.000Z", "2022-05-01T00:41:39.000Z")
    assert (done["state"], done["filename"], done["format"]) == ("done", "may.csv", "csv")
    assert await twitter.data(f"/imports/{done['id']}") == done


async def test_again_stores_nothing(twitter: Twitter) -> None:
    """The same file sent twice is all duplicates the second time, and the store does not change."""
    await twitter.imported(numbered(1200))
    before = await twitter.data("/scores/progress")
    again = await twitter.imported(numbered(1200))
    assert (again["accepted"], again["duplicates"]) == (0, 1200)
    assert again["last_tweet_at"] == "2022-05-01T00:19:59.000Z"
    assert (await twitter.data("/scores/progress"))["tweets"] == before["tweets"] == 1200


async def test_duplicates_within_a_file(twitter: Twitter) -> None:
    """An id that comes twice in a file is stored once, as it came first, within and across batches."""
    rows = numbered(1500) + f'{FIRST_ID},other,2022-05-02T00:00:00Z,"second"\n' * 2
    done = await twitter.imported(rows)
    assert (done["accepted"], done["duplicates"]) == (1500, 2)
    assert (await twitter.data(f"/tweets/{FIRST_ID}"))["text"] == "tweet 0"


async def test_broken_lines_do_not_stop_the_rest(twitter: Twitter) -> None:
    """Each broken line is reported with its number and reason, and all others are stored."""
    content = (
        "id,username,created_at,text\n"
        "1001,ana,2022-05-01T10:00:00Z,hola\n"
        "abc,ana,2022-05-01T10:00:00Z,no number\n"
        '1002,ana,2022-05-01T10:00:00Z,"two\nlines"\n'
        "1003,ana,yesterday,no time\n"
        f"1004,ana,2022-05-01T10:00:00Z,{'x' * 4001}\n"
        "99999999999999999999,ana,2022-05-01T10:00:00Z,too large\n"
        "1005,ana,2022-05-01T10:00:00Z,a\x00b\n"
        "1006,ana,2022-05-01T10:00:00Z\n"
        "1007,ana,2022-05-01T10:00:00Z,fin"
    )
    done = await twitter.imported(content)
    assert (done["rows"], done["accepted"], done["rejected"]) == (9, 3, 6)
    assert [r["line"] for r in done["rejections"]] == [3, 6, 7, 8, 9, 10]
    reasons = " / ".join(r["reason"] for r in done["rejections"])
    for part in ("not a whole number", "not a time", "4001 characters", "not between 1 and", "null", "3 fields"):
        assert part in reasons
    assert (await twitter.data("/tweets/1002"))["text"] == "two\nlines"


async def test_rejections_are_bounded_and_counted(twitter: Twitter) -> None:
    """Only the first 1,000 rejections are listed, all are counted."""
    done = await twitter.imported("id,username,created_at,text\n" + "x,ana,2022-05-01T10:00:00Z,t\n" * 1500)
    assert (done["rejected"], len(done["rejections"]), done["accepted"]) == (1500, 1000, 0)


async def test_twarc_pages(twitter: Twitter) -> None:
    """A twarc page yields all its tweets, with handles from its includes; the object is kept as it came."""
    tweet = {
        "id": "1520000000000000001",
        "author_id": "7",
        "text": "Más ñandú",
        "created_at": "2022-05-01T10:00:00.000Z",
    }
    page = {
        "data": [{**tweet, "lang": "es", "public_metrics": {"like_count": 3}}, {"id": "1520000000000000002"}],
        "includes": {"users": [{"id": "7", "username": "ana"}]},
        "meta": {"result_count": 2},
    }
    content = json.dumps(page) + "\n" + json.dumps({"meta": {"result_count": 0}}) + "\n"
    done = await twitter.imported(content + json.dumps({**tweet, "id": 1520000000000000003}), format="jsonl")
    assert (done["accepted"], done["rejected"], done["format"]) == (2, 1, "jsonl")
    assert done["rejections"][0]["line"] == 1
    assert "tweet 2 of the page" in done["rejections"][0]["reason"]
    stored = await twitter.data("/tweets/1520000000000000001")
    assert (stored["username"], stored["lang"], stored["metrics"]) == ("ana", "es", {"like_count": 3})
    assert (await twitter.data("/tweets/1520000000000000003"))["username"] == "id:7"


async def test_broken_json_lines(twitter: Twitter, database: asyncpg.Connection) -> None:
    """Broken JSON, null characters and foreign objects cost their line only; raw JSON is kept."""
    good = {"id": "5", "username": "ana", "text": "sí", "created_at": "2022-05-01T10:00:00Z", "extra": [1, {"a": "b"}]}
    null = {**good, "id": "6", "extra": "\x00"}
    lines = [
        json.dumps(good),
        "{broken",
        json.dumps(null),
        "7",
        json.dumps({**good, "id": True}),
        "",
        json.dumps([good]),
    ]
    done = await twitter.imported("\n".join(lines))
    assert (done["accepted"], done["duplicates"]) == (1, 1)
    assert [r["line"] for r in done["rejections"]] == [2, 3, 4, 5]
    assert json.loads(await database.fetchval("SELECT raw FROM tweet_raw WHERE tweet_id = 5")) == good


@pytest.mark.parametrize(
    ("content", "code", "words"),
    [
        (b"", "import_empty", "no tweets"),
        (b"\xef\xbb\xbf \n\n", "import_empty", "no tweets"),
        (b"id,username,created_at,text\n", "import_empty", "no tweets"),
        (b"id,text\n1,hola\n", "import_missing_columns", "username, created_at"),
        ("id;username;created_at;text\n".encode("utf-16"), "import_empty", "no tweets"),
        ("id;username;created_at;text\n".encode("utf-16")[:-1], "import_not_utf16", "not whole UTF-16"),
        (
            b"id,username,created_at,text,ID\n1,a,2022-05-01T10:00:00Z,ok,2\n",
            "import_repeated_column",
            "id stands twice",
        ),
        (b"SQLite format 3\x00\x10\x00", "import_database_file", "sqlite3 -header -csv"),
        (
            b"id,username,created_at,text\n1,a,2022-05-01T10:00:00Z,ok\n2,a,2022-05-01T10:00:00Z,\xf1\n",
            "import_not_utf8",
            "Line 3 ",
        ),
    ],
)
async def test_unusable_files(twitter: Twitter, content: bytes, code: str, words: str) -> None:
    """A file that cannot be read at all is refused with one clear sentence."""
    response = await twitter.upload(content)
    assert response.status_code == 422
    assert response.json()["code"] == code
    assert words in response.json()["error"]


async def test_failed_import_is_recorded(twitter: Twitter, database: asyncpg.Connection) -> None:
    """An import that breaks off after tweets were stored says so, and what was stored stays."""
    response = await twitter.upload(numbered(30_000).encode() + b"\xff\n" * 300_000)
    assert response.json()["code"] == "import_not_utf8"
    row = await database.fetchrow("SELECT state, error, accepted, (SELECT count(*) FROM tweets) AS stored FROM imports")
    assert (row["state"], row["accepted"]) == ("failed", row["stored"])
    assert "not UTF-8" in row["error"]
    assert row["stored"] > 0


async def test_body_limit(start_twitter: Start) -> None:
    """A file above import_max_bytes is refused with 413; one above the usual body limit is not."""
    limits = {"import_max_bytes": 300_000, "max_body_bytes": 1024}
    async with start_twitter(**limits) as twitter:
        assert (await twitter.upload(numbered(100))).status_code == 201
        assert (await twitter.upload(numbered(20_000))).status_code == 413


async def test_import_limit(start_twitter: Start) -> None:
    """More imports at a time than import_max_concurrent are refused with 429 and Retry-After."""
    async with start_twitter(import_max_concurrent=1) as twitter:
        answers = await asyncio.gather(*(twitter.upload(numbered(3000)) for _ in range(3)))
        assert sorted(answer.status_code for answer in answers)[0] == 201
        refused = [answer for answer in answers if answer.status_code == 429]
        assert refused
        assert all("retry-after" in answer.headers for answer in refused)


async def test_an_import_that_trickles_makes_room(start_twitter: Start) -> None:
    """An import whose file stops coming ends, and the next one finds its place, long before the time of an import."""
    has_stopped = asyncio.Event()

    async def trickle() -> AsyncIterator[bytes]:
        while not has_stopped.is_set():
            yield numbered(2000).encode()
            await asyncio.sleep(0.05)
        await asyncio.sleep(120)

    limits = {"import_max_concurrent": 1, "body_grace_seconds": 2, "body_min_bytes_per_second": 5e5}
    async with start_twitter(import_piece_bytes=65_536, **limits) as twitter:

        async def has_begun() -> bool:
            return bool((await twitter.data("/imports"))["items"])

        async def has_room() -> bool:
            return (await twitter.upload(numbered(10))).status_code == 201

        url, headers = "/v1/twitter/imports", twitter.headers
        stalled = asyncio.ensure_future(twitter.service.client.post(url, content=trickle(), headers=headers))
        await until(has_begun)
        assert (await twitter.upload(numbered(10))).status_code == 429
        has_stopped.set()
        await until(has_room)
        stalled.cancel()
        await asyncio.wait([stalled])


async def test_authors_become_entities_once(twitter: Twitter) -> None:
    """Authors become entities, matched at once, but not those of a file that speaks of somebody tracked."""
    rows = [(1, "Ana_P", "2022-05-01T10:00:00Z", "hola"), (2, "luis", "2022-05-01T11:00:00Z", "gracias @ana_p")]
    done = await twitter.imported(csv_of(rows), track_authors=True)
    assert done["entities_created"] == ["ana_p", "luis"]
    assert (await twitter.data("/tweets/2"))["entities"] == ["ana_p", "luis"]
    entity = await twitter.data("/entities/ana_p")
    assert (entity["handles"], entity["kind"], entity["matching"]) == (["Ana_P"], "candidate", False)
    more = await twitter.imported(csv_of([(3, "eva", "2022-05-01T10:00:00Z", "hola @ana_p")]), track_authors=True)
    assert more["entities_created"] == []
    other = await twitter.imported(csv_of([(4, "leo", "2022-05-02T10:00:00Z", "solo")]), track_authors=True)
    assert other["entities_created"] == ["leo"]


async def test_only_the_most_active_authors(start_twitter: Start) -> None:
    """At most max_author_entities authors become entities, the most active, and the rest is counted."""
    rows = [(n, f"user{n % (1 + n % 5)}", "2022-05-01T10:00:00Z", "t") for n in range(1, 101)]
    async with start_twitter(max_author_entities=2) as twitter:
        done = await twitter.imported(csv_of(rows), track_authors=True)
        assert done["entities_created"] == ["user0", "user1"]
        assert done["authors_left_out"] == 3


@pytest.mark.skipif(not REAL.exists(), reason=f"real data is not here: {REAL}")
async def test_real_file(twitter: Twitter) -> None:
    """All 8,428 rows of a real file are accepted, and are duplicates when sent again."""
    done = await twitter.imported(REAL.read_bytes(), track_authors=True)
    assert (done["accepted"], done["rejected"]) == (8428, 0)
    assert sorted(done["entities_created"]) == ["ficogutierrez", "ingrodolfohdez", "petrogustavo", "sergio_fajardo"]
    again = await twitter.imported(REAL.read_bytes(), track_authors=True)
    assert (again["accepted"], again["duplicates"], again["entities_created"]) == (0, 8428, [])
