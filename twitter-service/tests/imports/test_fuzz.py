"""Mutated files: every row is accepted, a duplicate or rejected, rows that were not touched are never lost, no 500.

A few seconds long by itself; ``CASTOR_FUZZ_MINUTES`` makes it longer, ``CASTOR_FUZZ_SEED`` repeats a run.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import random
import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

import castor_devstack
from twitter_service.errors import MissingColumns, NotUtf8, RepeatedColumn
from twitter_service.imports.parser import parse
from twitter_service.imports.readers.tweet_file import TweetFile
from twitter_service.tweets.model import NewTweet, Rejection

from ..conftest import Twitter
from .test_packed import workbook, zip_of

SAMPLE = Path(castor_devstack.__file__).parent / "sample" / "tweets.jsonl"
SECONDS = 60 * float(os.environ.get("CASTOR_FUZZ_MINUTES", "0")) or 6
SEED = int(os.environ.get("CASTOR_FUZZ_SEED", "20220529"))
ROWS = 40
BLANK = bytes(range(33)) + b","
JUNK = (
    b"", b",", b"]", b"[", b"{", b"}", b"NaN", b"null", b"7", b"<html><body>502</body></html>", b"\\", b"\\u",
    b"\\ud83d", b'"', b"\x00", b"\x01", b"\t", b";", b"'", b":", b"\\x", b"\xc3\xb1", b'{"id": 1e999}',
    b"-Infinity", b"1" * 400,
)  # fmt: skip


def sample() -> list[dict[str, str]]:
    """Return the first rows of the sample that the project ships, without line ends in their texts."""
    with SAMPLE.open(encoding="utf-8") as file:
        rows = [json.loads(line) for line in islice(file, ROWS)]
    return [{name: " ".join(row[name].split()) for name in ("id", "username", "created_at", "text")} for row in rows]


def json_line(row: dict[str, str]) -> bytes:
    """Return a row as an object of X API v2, with members that are not stored."""
    known: dict[str, Any] = {"lang": "es", "public_metrics": {"like_count": 3}, "entities": {"urls": [{"start": 1}]}}
    return json.dumps({**row, **known}, ensure_ascii=row["id"][-1] in "02468").encode()


IDS = [int(row["id"]) for row in sample()]


def csv_line(row: dict[str, str]) -> bytes:
    """Return a row as a line of CSV."""
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(row.values())
    return line.getvalue().encode()


def mutated(line: bytes, random_: random.Random) -> bytes:
    """Return a line with one to three places changed: cut, repeated, replaced or put in."""
    for _ in range(random_.randint(1, 3)):
        at, end = sorted(random_.randrange(len(line) + 1) for _ in range(2))
        junk = random_.choice(JUNK)
        match random_.randrange(5):
            case 0:
                line = line[:at]
            case 1:
                line = line[:at] + junk + line[at:]
            case 2:
                line = line[:at] + junk + line[min(end, at + 12) :]
            case 3:
                line = line[:at] + line[at:end] * 2 + line[end:]
            case 4:
                line = junk
    return line


def parsed(data: bytes) -> list[NewTweet | Rejection]:
    """Return what a file holds."""
    file = TweetFile()
    return parse(file.read(data)) + parse(file.read_last(b""))


def until(seconds: float) -> Callable[[], bool]:
    """Return what is true until so many seconds have passed."""
    end = time.monotonic() + seconds
    return lambda: time.monotonic() < end


def chosen(random_: random.Random) -> set[int]:
    """Return the numbers of one to five rows that do not stand first."""
    return set(random_.sample(range(1, ROWS), random_.randint(1, 5)))


def is_text(line: bytes) -> bool:
    """True for a line that can be decoded; a file that cannot is refused as a whole."""
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True


def test_lines_of_json() -> None:
    """Of mutated JSON Lines every untouched line is a tweet, and every other line at least one outcome."""
    random_, going = random.Random(SEED), until(SECONDS / 6)
    lines = [json_line(row) for row in sample()]
    while going():
        touched = chosen(random_)
        changed = [mutated(line, random_) if n in touched else line for n, line in enumerate(lines)]
        if not all(map(is_text, changed)):
            continue
        found = parsed(b"\n".join(changed))
        ids = {item.id for item in found if isinstance(item, NewTweet)}
        missing = [n for n, row in enumerate(IDS) if n not in touched and row not in ids]
        assert not missing, (SEED, changed)
        assert len(found) >= sum(bool(line.strip()) and not is_empty(line) for line in changed), (SEED, changed)


def test_pages() -> None:
    """Of a page with one broken tweet all others are accepted, and of several broken ones in a row too."""
    random_, going = random.Random(SEED), until(SECONDS / 6)
    lines = [json_line(row) for row in sample()]
    users = b', "includes": {"users": [{"id": "7", "username": "ana", "description": "x"}]}}'
    while going():
        touched = random_.randint(1, ROWS - 2)
        broken = mutated(lines[touched], random_)
        if not is_text(broken) or is_json(broken) or not broken.strip(BLANK):
            continue
        page = b'{"data": [' + b", ".join([*lines[:touched], broken, *lines[touched + 1 :]]) + b"]" + users
        found = parsed(page)
        ids = [item.id for item in found if isinstance(item, NewTweet)]
        kept = [key for n, key in enumerate(IDS) if n != touched]
        assert set(kept) <= set(ids), (SEED, broken)
        assert len(found) >= ROWS, (SEED, broken)


def test_rows_of_csv() -> None:
    """Of a mutated CSV every untouched row is a tweet, and every line belongs to an outcome."""
    random_, going = random.Random(SEED), until(SECONDS / 6)
    lines = [csv_line(row) for row in sample()]
    while going():
        touched = chosen(random_)
        changed = [mutated(line, random_) if n in touched else line for n, line in enumerate(lines)]
        if not all(map(is_text, changed)):
            continue
        found = parsed(b"id,username,created_at,text\n" + b"\n".join(changed))
        ids = {item.id for item in found if isinstance(item, NewTweet)}
        missing = [n for n, row in enumerate(IDS) if n not in touched and row not in ids]
        assert not missing, (SEED, changed)


def test_bytes_of_any_file() -> None:
    """Bytes changed anywhere, line ends and brackets included, end in outcomes or in one of the named errors."""
    random_, going = random.Random(SEED), until(SECONDS / 6)
    rows = sample()
    files = [
        b"\n".join(map(json_line, rows)),
        json.dumps({"data": rows}, indent=1).encode(),
        json.dumps(rows, indent=2).encode(),
        b"id,username,created_at,text\n" + b"\n".join(map(csv_line, rows)),
    ]
    while going():
        changed = mutated(random_.choice(files), random_)
        try:
            found = parsed(changed)
        except (MissingColumns, NotUtf8, RepeatedColumn):
            continue
        assert all(isinstance(item, NewTweet | Rejection) for item in found)


def table(separator: str) -> Callable[[list[dict[str, str]]], list[bytes]]:
    """Return what writes rows as a table with such a separator."""

    def written(rows: list[dict[str, str]]) -> list[bytes]:
        lines = io.StringIO()
        csv.writer(lines, delimiter=separator, lineterminator="\n").writerows(
            [rows[0], *(row.values() for row in rows)]
        )
        return lines.getvalue().encode().splitlines()

    return written


def text_in(encoding: str) -> Callable[[bytes], bytes]:
    """Return what writes UTF-8 in another encoding; bytes that are none of it as U+FFFD."""
    return lambda data: data.decode(errors="replace").encode(encoding)


LINES: tuple[Callable[[list[dict[str, str]]], list[bytes]], ...] = (
    lambda rows: [b"", *map(json_line, rows)], table(","), table(";"), table("\t"),
)  # fmt: skip
"""Ways to write rows, the header of a table, or nothing, first."""
PACKED: tuple[Callable[[bytes], bytes], ...] = (bytes, gzip.compress, text_in("utf-16"), lambda d: zip_of(tuits=d))
"""Ways to send a file."""


@pytest.mark.asyncio(loop_scope="module")
async def test_over_http(twitter: Twitter) -> None:
    """What a mutated file is answered with is 201, whose numbers are those of the file, or 422."""
    random_, going = random.Random(SEED), until(SECONDS / 6)
    while going():
        kind, packed, touched = random_.randrange(len(LINES)), random_.choice(PACKED), chosen(random_)
        head, *lines = LINES[kind](sample())
        changed = [mutated(line, random_) if n in touched else line for n, line in enumerate(lines)]
        answer = await twitter.upload(packed(b"\n".join([head, *changed])))
        assert answer.status_code in (201, 422), (SEED, changed)
        if answer.status_code == 201:
            done = answer.json()["data"]
            assert done["accepted"] + done["duplicates"] + done["rejected"] == done["rows"], (SEED, changed)
            assert done["accepted"] + done["duplicates"] >= ROWS - len(touched), (SEED, changed)
            whole = sum(bool(line.strip(BLANK)) and not is_empty(line) for line in changed if is_text(line))
            assert kind or done["rows"] >= whole, (SEED, changed)


@pytest.mark.asyncio(loop_scope="module")
async def test_packed_bytes_over_http(twitter: Twitter) -> None:
    """A packed file with bytes changed anywhere is read or refused in words, never 500."""
    random_, going = random.Random(SEED), until(SECONDS / 6)
    rows = [list(row.values()) for row in sample()]
    sheet = workbook([["id", "username", "created_at", "text"], *rows])
    files = [sheet, *(packed(b"\n".join(table(",")(sample()))) for packed in PACKED)]
    while going():
        answer = await twitter.upload(mutated(random_.choice(files), random_))
        assert answer.status_code in (201, 400, 413, 415, 422), (SEED, answer.text)
        if answer.status_code == 201:
            done = answer.json()["data"]
            assert done["accepted"] + done["duplicates"] + done["rejected"] == done["rows"], (SEED, done)
        else:
            assert answer.json()["error"], SEED


def is_empty(line: bytes) -> bool:
    """True for a list or a page without tweets."""
    return is_json(line) and json.loads(line) in ([], {"data": []})


def is_json(line: bytes) -> bool:
    """True for a line that is JSON, whatever it says."""
    try:
        json.loads(line)
    except ValueError:
        return False
    return True
