"""Long files are parsed by a process of their own."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from twitter_service.imports import import_run
from twitter_service.imports.parser import ParsedPiece, parse_and_match
from twitter_service.imports.parser_process import ParserLate, ParserLost, ParserProcess, has_processor_to_spare
from twitter_service.imports.readers.base import Block
from twitter_service.matching.entities import Matcher, Terms
from twitter_service.metrics import PARSERS_LOST

from ..conftest import FIRST_ID, Start, Twitter

pytestmark = pytest.mark.asyncio(loop_scope="module")
ENTITIES = [Terms("petro", ("petrogustavo",), ("Petro",), ("Pacto",)), Terms("fico", (), ("Fico",))]
TEXTS = ("Petro habla de salud y paz", "nada", "#pacto por la educación 🇨🇴", "viva @petrogustavo, dice Fico")


def line_of(number: int) -> bytes:
    """Return a tweet as X gives it; of each ten, one repeats another and one is broken."""
    if number % 10 == 9:
        return b'{"id": "x"}\n'
    key = FIRST_ID + (number - 1 if number % 10 == 8 else number)
    tweet: dict[str, Any] = {"id": str(key), "text": TEXTS[number % 4], "created_at": "2022-05-01T10:00:00Z"}
    author = {"id": str(number % 7), "username": f"u{number % 7}", "location": "Medellín"}
    metrics = {"like_count": number, "retweet_count": 0}
    return (
        json.dumps({**tweet, "author": author, "author_id": author["id"], "public_metrics": metrics}).encode() + b"\n"
    )


def parsers() -> list[int]:
    """Return the ids of the parsing processes that this process has started."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((folder / "stat").read_text().rsplit(")", 1)[1].split()[1])
            if parent == os.getpid() and b"twitter_service.imports.parser" in (folder / "cmdline").read_bytes():
                found.append(int(folder.name))
        except OSError:
            continue
    return found


async def ready() -> ParserProcess:
    """Return a process that takes jobs."""
    parser = ParserProcess()
    async with asyncio.timeout(60):
        while not parser.is_ready:
            await asyncio.sleep(0.02)
    return parser


async def test_the_process_finds_what_a_thread_finds() -> None:
    """Tweets, rejections, matches and authors are the same, also after the entities changed."""
    blocks = [Block(1, b"".join(line_of(n) for n in range(200))), Block(201, b"\n[]\n" + line_of(5))]
    parser = await ready()
    for revision, terms in enumerate((ENTITIES, ENTITIES[:1], [])):
        matcher = Matcher(terms)
        found = await parser.parse_and_match(blocks, matcher, revision)
        assert found == await parser.parse_and_match(blocks, matcher, revision)
        assert found == parse_and_match(blocks, matcher, revision)
        assert found.tweets == 181
    assert parser.pid in parsers()
    await parser.close()
    assert not parsers()


async def test_it_knows_no_secrets() -> None:
    """The environment of the service, with its passwords and keys, is not handed on."""
    assert os.environ
    parser = await ready()
    assert Path(f"/proc/{parser.pid}/environ").read_bytes() == b""
    await parser.close()


async def test_a_lost_process_says_so() -> None:
    """Whoever asks a process that was killed is told, and does not wait."""
    parser = await ready()
    assert parser.pid is not None
    os.kill(parser.pid, signal.SIGKILL)
    with pytest.raises(ParserLost):
        await parser.parse_and_match([Block(1, line_of(1) * 4_000)], Matcher([]), 1)
    await parser.close()


async def upload_while(twitter: Twitter, kills: bool) -> dict[str, Any]:
    """Send a file of 6,000 lines, the second half only when the process works, which may be killed then."""

    async def content() -> AsyncIterator[bytes]:
        yield b"".join(map(line_of, range(3_000)))
        async with asyncio.timeout(60):
            while not parsers():
                await asyncio.sleep(0.02)
        await asyncio.sleep(1)  # time to load what it needs; if it takes longer, a thread parses meanwhile
        for first in range(3_000, 6_000, 500):
            yield b"".join(map(line_of, range(first, first + 500)))
            if kills:
                for pid in parsers():
                    os.kill(pid, signal.SIGKILL)

    params = {"track_authors": False}
    answer = await twitter.service.client.post(
        "/v1/twitter/imports", params=params, content=content(), headers=twitter.headers, timeout=120
    )
    assert answer.status_code == 201, answer.text
    data: dict[str, Any] = answer.json()["data"]
    return data


@pytest.mark.skipif(not has_processor_to_spare(), reason="one processor: a thread parses")
@pytest.mark.parametrize("kills", [False, True])
async def test_an_import_does_not_depend_on_it(start_twitter: Start, kills: bool) -> None:
    """With the process, and when it is killed under way, every line is taken in once, and no process is left."""
    lost = PARSERS_LOST._value.get()
    async with start_twitter(import_piece_bytes=65_536) as twitter:
        await twitter.send("POST", "/entities", {"id": "petro", "name": "Petro", "kind": "candidate"})
        done = await upload_while(twitter, kills)
        assert (done["state"], done["rows"]) == ("done", 6_000)
        assert (done["accepted"], done["duplicates"], done["rejected"]) == (4_800, 600, 600)
        assert [one["line"] for one in done["rejections"]] == list(range(10, 6_001, 10))
        await twitter.settled()
        items = await twitter.whole_feed()
        assert sorted(int(item["id"]) for item in items) == [FIRST_ID + n for n in range(6_000) if n % 10 not in (8, 9)]
        named = {int(item["id"]) - FIRST_ID for item in items if item["entities"] == ["petro"]}
        assert named == {n for n in range(6_000) if n % 4 == 0 and n % 10 not in (8, 9)}
    assert not parsers()
    assert PARSERS_LOST._value.get() - lost <= kills


async def test_a_process_that_takes_too_long_says_so_and_starts_anew() -> None:
    """Nobody parses these lines; the next ones are parsed by another process, which is told the entities again."""
    parser = await ready()
    blocks, matcher = [Block(1, b"".join(map(line_of, range(20))))], Matcher(ENTITIES)
    await parser.parse_and_match(blocks, matcher, 1)
    os.kill(parser.pid or 0, signal.SIGSTOP)
    parser._process._seconds = 0.5
    with pytest.raises(ParserLate):
        await parser.parse_and_match(blocks, matcher, 1)
    assert not parsers()
    parser._process._seconds = 60
    assert await parser.parse_and_match(blocks, matcher, 1) == parse_and_match(blocks, matcher, 1)
    await parser.close()


async def test_the_lines_that_take_too_long_are_rejected_and_not_parsed_by_the_service(
    start_twitter: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are rejected in words, those before and after them are imported."""
    asked: list[int] = []

    class Slow:
        is_ready = True

        async def parse_and_match(self, blocks: list[Block], matcher: Matcher, revision: int) -> ParsedPiece:
            asked.append(sum(len(block.data.splitlines()) for block in blocks))
            if len(asked) == 2:
                raise ParserLate
            return parse_and_match(blocks, matcher, revision)

        async def close(self) -> None: ...

    monkeypatch.setattr(import_run, "has_processor_to_spare", lambda: True)
    monkeypatch.setattr(import_run, "ParserProcess", Slow)
    async with start_twitter(import_piece_bytes=65_536) as twitter:
        answer = await twitter.service.client.post(
            "/v1/twitter/imports",
            params={"track_authors": False},
            content=b"".join(map(line_of, range(2_000))),
            headers=twitter.headers,
        )
    done = answer.json()["data"]
    slow = [one["line"] for one in done["rejections"] if "longer than 60 s" in one["reason"]]
    assert slow == list(range(slow[0], slow[0] + asked[1]))
    assert (done["state"], done["rows"], len(asked) > 2) == ("done", 2_000, True)
    assert 1_800 > done["accepted"] + done["duplicates"] >= 1_800 - len(slow)
