"""Imports that break off, and files that are packed."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from typing import Any

import asyncpg
import pytest

from castor_chassis.client.transport import httpx
from castor_chassis.testing import until
from twitter_service.entities.rematcher import Rematcher
from twitter_service.imports import repository

from ..conftest import FIRST_ID, Start, Twitter, numbered

pytestmark = pytest.mark.asyncio(loop_scope="module")
PIECE = {"import_piece_bytes": 65_536}


def lines_of(count: int) -> bytes:
    """Return JSON Lines of ``count`` tweets, every hundredth line of which is broken."""
    tweets = (
        {"id": str(FIRST_ID + n), "username": f"u{n % 5}", "created_at": "2022-05-01T10:00:00Z", "text": f"año {n}"}
        for n in range(count)
    )
    rows = [json.dumps(tweet, ensure_ascii=False) if n % 100 else "{broken" for n, tweet in enumerate(tweets)]
    return ("\n".join(rows) + "\n").encode()


def by(*authors: tuple[str, int]) -> bytes:
    """Return JSON Lines of so many tweets of each author, one after the other."""
    names = [name for name, count in authors for _ in range(count)]
    at = "2022-05-01T10:00:00Z"
    rows = [{"id": str(FIRST_ID + n), "username": u, "created_at": at, "text": f"t{n}"} for n, u in enumerate(names)]
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


async def broken_off(twitter: Twitter, content: bytes, after: int) -> None:
    """Send the first ``after`` bytes of a file, and lose the connection once rows of it are stored."""

    async def is_stored() -> bool:
        items = (await twitter.data("/imports", limit=1))["items"]
        return bool(items) and items[0]["rows"] > 0

    async def pieces() -> AsyncIterator[bytes]:
        for at in range(0, after, 16_384):
            yield content[at : min(at + 16_384, after)]
        await until(is_stored)
        raise ConnectionError

    with pytest.raises((ConnectionError, httpx.HTTPError)):
        await twitter.service.client.post("/v1/twitter/imports", content=pieces(), headers=twitter.headers, timeout=60)


async def failed(twitter: Twitter) -> dict[str, Any]:
    """Return the latest import once it is recorded as failed."""
    found: dict[str, Any] = {}

    async def has_failed() -> bool:
        found.update((await twitter.data("/imports", limit=1))["items"][0])
        return bool(found["state"] == "failed")

    await until(has_failed)
    return found


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
async def test_a_broken_upload_goes_on_from_the_last_committed_line(start_twitter: Start, kind: str) -> None:
    """The same file sent again continues the same import: nothing is read twice, counted twice or left out."""
    content = numbered(6000, text="línea {}").encode() if kind == "csv" else lines_of(6000)
    rejected = 0 if kind == "csv" else 60
    async with start_twitter(**PIECE) as twitter:
        await broken_off(twitter, content, len(content) * 2 // 3)
        first = await failed(twitter)
        assert 0 < first["rows"] < 6000
        done = await twitter.imported(content)
        assert done["id"] == first["id"]
        assert (done["resumed"], done["state"], done["error"]) == (1, "done", None)
        assert (done["accepted"], done["duplicates"], done["rejected"]) == (6000 - rejected, 0, rejected)
        assert [r["line"] for r in done["rejections"]] == [n + 1 for n in range(0, 6000, 100)][:rejected]
        assert (done["bytes_read"], done["bytes_total"]) == (len(content), len(content))
        assert (await twitter.data("/scores/progress"))["tweets"] == 6000 - rejected


async def test_another_file_with_the_same_beginning_is_told_apart(start_twitter: Start) -> None:
    """A file that begins like a broken one but differs is refused, and taken in whole with resume=false."""
    content = lines_of(6000)
    other = content[:70_000] + content[70_000:].replace("año".encode(), b"mes")
    async with start_twitter(**PIECE) as twitter:
        await broken_off(twitter, content, len(content) * 2 // 3)
        await failed(twitter)
        refused = await twitter.upload(other)
        assert (refused.status_code, refused.json()["code"]) == (409, "import_differs")
        done = await twitter.imported(other, resume=False)
        assert (done["rows"], done["resumed"]) == (6000, 0)


async def test_a_killed_import_is_taken_over(start_twitter: Start, database: asyncpg.Connection) -> None:
    """An import whose process died stays 'running' for a minute, and is then resumed like a failed one."""
    content = lines_of(6000)
    async with start_twitter(**PIECE) as twitter:
        await broken_off(twitter, content, len(content) * 2 // 3)
        first = await failed(twitter)
        await database.execute("UPDATE imports SET state = 'running', progress_at = now() - interval '30 seconds'")
        fresh = await twitter.imported(content)
        assert fresh["id"] != first["id"]
        await database.execute(
            "UPDATE imports SET state = 'running', progress_at = now() - interval '61 seconds' WHERE id = $1",
            first["id"],
        )
        done = await twitter.imported(content)
        assert (done["id"], done["rows"], done["resumed"]) == (first["id"], 6000, 1)


@pytest.mark.parametrize("is_lost", [True, False])
async def test_an_upload_that_was_taken_over_changes_nothing_more(
    start_twitter: Start, database: asyncpg.Connection, is_lost: bool
) -> None:
    """It only seemed dead: whether its connection breaks or it sends the rest, the import stays done as it is."""
    content, goes_on = lines_of(6000), asyncio.Event()

    async def slowly() -> AsyncIterator[bytes]:
        yield content[:200_000]
        await goes_on.wait()
        if is_lost:
            raise ConnectionError
        yield content[200_000:]

    async with start_twitter(**PIECE) as twitter:
        slow = asyncio.ensure_future(
            twitter.service.client.post("/v1/twitter/imports", content=slowly(), headers=twitter.headers, timeout=60)
        )

        async def has_begun() -> bool:
            return bool(await database.fetchval("SELECT count(*) FROM imports WHERE rows > 0"))

        await until(has_begun)
        await database.execute("UPDATE imports SET progress_at = now() - interval '61 seconds'")
        done = await twitter.imported(content)
        assert (done["resumed"], done["state"], done["rows"]) == (1, "done", 6000)
        goes_on.set()
        (answer,) = await asyncio.gather(slow, return_exceptions=True)
        if isinstance(answer, httpx.Response):
            assert (answer.status_code, answer.json()["code"]) == (409, "import_taken_over")

        async def is_over() -> bool:
            return not twitter.service.app.state.resources.imports.is_running()

        await until(is_over)
        assert await twitter.data(f"/imports/{done['id']}") == done


async def test_a_resumed_import_knows_whom_its_first_part_speaks_of(start_twitter: Start) -> None:
    """Where only the part before the break is by a tracked account, no author becomes an entity."""
    content = by(("ana", 10), ("eva", 6000))
    async with start_twitter(**PIECE) as twitter:
        await twitter.track("Ana")
        await broken_off(twitter, content, len(content) * 2 // 3)
        await failed(twitter)
        done = await twitter.imported(content, track_authors=True)
        assert (done["resumed"], done["entities_created"]) == (1, [])


async def test_a_resumed_import_counts_the_authors_of_its_first_part(
    start_twitter: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are looked up a few at a time, among tweets of others, and the most active ones become entities."""
    monkeypatch.setattr(repository, "_AUTHORS_AT_A_TIME", 500)
    content = by(("ana", 1500), ("eva", 6000), ("tea", 1000))
    async with start_twitter(**PIECE, max_author_entities=2) as twitter:
        others = by(("otro", 1200)).replace(str(FIRST_ID)[:4].encode(), b"1600")
        await twitter.imported(others)
        await broken_off(twitter, content, len(content) * 2 // 3)
        await failed(twitter)
        done = await twitter.imported(content, track_authors=True)
        assert (done["resumed"], done["entities_created"], done["authors_left_out"]) == (1, ["eva", "ana"], 1)


async def test_an_import_that_tracks_authors_for_long_is_not_taken_over(
    start_twitter: Start, database: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While stored tweets are matched against its entities it counts as alive, and a second upload is another one."""
    content, second = by(("eva", 3000)), []

    async def finish(_: Rematcher, _entities: Collection[str], after_step: Callable[[], Awaitable[None]]) -> None:
        await database.execute("UPDATE imports SET progress_at = now() - interval '61 seconds'")
        await after_step()
        second.append(await twitter.imported(content, track_authors=True))

    monkeypatch.setattr(Rematcher, "finish", finish)
    async with start_twitter(**PIECE) as twitter:
        done = await twitter.imported(content, track_authors=True)
    assert (done["resumed"], done["state"], done["entities_created"]) == (0, "done", ["eva"])
    assert [(again["resumed"], again["entities_created"]) for again in second] == [(0, [])]
    assert second[0]["id"] != done["id"]


async def test_entities_that_a_broken_import_has_created_stay_on_record(
    start_twitter: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever goes on with it creates no more, and its record names them."""
    content = by(("eva", 3000))

    async def finish(*_: object) -> None:
        raise ConnectionError

    async with start_twitter(**PIECE) as twitter:
        with monkeypatch.context() as patch:
            patch.setattr(Rematcher, "finish", finish)
            assert (await twitter.upload(content, track_authors=True)).status_code >= 500
        first = await failed(twitter)
        done = await twitter.imported(content, track_authors=True)
        assert (done["id"], done["resumed"], done["entities_created"]) == (first["id"], 1, ["eva"])


@pytest.mark.parametrize("members", [1, 3])
async def test_gzip(twitter: Twitter, members: int) -> None:
    """A gzip file of one or several members is unpacked, whatever it is called."""
    content = numbered(900).encode()
    size = len(content) // members + 1
    packed = b"".join(gzip.compress(content[at : at + size]) for at in range(0, len(content), size))
    done = await twitter.imported(packed)
    assert (done["accepted"], done["rejected"], done["bytes_read"]) == (900, 0, len(content))


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (lambda packed: packed[:-40], "import_broken_gzip"),
        (lambda packed: packed[:50] + b"xxxx" + packed[54:], "import_broken_gzip"),
        (lambda _: gzip.compress(b"\n" * 3_000_000), "import_unpacked_too_large"),
    ],
)
async def test_unusable_gzip(start_twitter: Start, spoil: object, code: str) -> None:
    """Broken gzip and gzip that unpacks beyond the limit are refused with a sentence."""
    async with start_twitter(import_max_unpacked_bytes=2_000_000) as twitter:
        response = await twitter.upload(spoil(gzip.compress(numbered(300).encode())))  # type: ignore[operator]
        assert (response.status_code, response.json()["code"]) == (422, code)
