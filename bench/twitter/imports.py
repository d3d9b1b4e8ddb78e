"""Imports of twitter-service against twarc, memory, the feed, and full-text search.

``python -m bench twitter [--rows 1000000] [--part twarc|size]``: ``twarc`` compares imports of one file, ``size``
imports up to so many rows and measures memory, the feed and full-text queries there.

One import through the mTLS API parses, de-duplicates, matches entities and axes, and stores in PostgreSQL (with the
settings of `castor up`: fsync on). twarc flattens and de-duplicates the same file, once to nowhere and once, as
``twarc2 flatten`` does, into a file; it stores nothing and matches nothing. Rounds alternate, so what else the machine
does hits both. sentiment-service is absent, and words are indexed after the import, whose rate is given apart.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import orjson

from bench.stores import postgres_server
from bench.twitter.service import Endpoint, running, watch_parser
from bench.twitter.tweets import id_of, text_of, time_of, write_pages
from castor_chassis.client.transport import httpx
from twitter_service.imports.parser import parse
from twitter_service.imports.readers.tweet_file import TweetFile
from twitter_service.matching.entities import Matcher, Terms
from twitter_service.tweets.batch import Batch
from twitter_service.tweets.model import NewTweet

SAME_FILE = int(os.environ.get("BENCH_TWEETS", "40000"))
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "4"))
SIZES = (10_000, 100_000)
"""Imported before the largest, to see whether memory grows."""
ASKED = 40
"""Times that each query is asked."""
TABLES = "tweets, tweet_entities, tweet_raw, tweet_search, tweet_versions, retweets, authors, imports"
QUERIES: dict[str, dict[str, str]] = {
    "common word": {"q": "elecciones2026"},
    "less common word": {"q": "salud"},
    "rare word": {"q": "barrio4711"},
    "no hit": {"q": "xilófono"},
    "two words": {"q": "registraduría campesinos"},
    "phrase": {"q": '"acuerdo de paz"'},
    "one of two": {"q": "camino OR pareza"},
    "without a word": {"q": "campesinos -registraduría"},
    "common word, one old day": {
        "q": "elecciones2026", "since": "2026-01-03T05:00:00Z", "until": "2026-01-04T05:00:00Z",
    },
    "rare word, one old week": {"q": "barrio4711", "since": "2026-01-03T05:00:00Z", "until": "2026-01-10T05:00:00Z"},
    "common word, entity": {"q": "elecciones2026", "entity": "fajardo"},
    "rare word, entity": {"q": "barrio4711", "entity": "fajardo"},
}  # fmt: skip
ENTITIES = (
    Terms("petro", ("petrogustavo",), ("Gustavo Petro", "Petro"), ("PactoHistorico",)),
    Terms("fico", ("FicoGutierrez",), ("Fico Gutiérrez",)),
    Terms("fajardo", ("sergio_fajardo",), ("Sergio Fajardo",)),
    Terms("hernandez", ("ingrodolfohdez",), ("Rodolfo Hernández",)),
)


async def track(client: httpx.AsyncClient) -> None:
    """Track the entities."""
    for terms in ENTITIES:
        entity = {"id": terms.entity_id, "name": terms.entity_id, "kind": "candidate", "handles": terms.handles}
        body = {**entity, "aliases": terms.aliases, "hashtags": terms.hashtags}
        (await client.post("/v1/twitter/entities", json=body)).raise_for_status()


async def empty(endpoint: Endpoint) -> None:
    """Forget all tweets."""
    await endpoint.database.execute(
        f"TRUNCATE {TABLES}; UPDATE feed_state SET head = 0, tweets = 0; UPDATE search_state SET through = 0"
    )


async def import_rate(endpoint: Endpoint, source: Callable[[], Iterator[bytes]]) -> tuple[float, float, float]:
    """Import a file; return rows per second, and CPU microseconds per row of the service and of PostgreSQL."""

    async def pieces() -> AsyncIterator[bytes]:
        for piece in source():
            yield piece

    cpu, backend, started = endpoint.used()[0], _cpu_below(endpoint.postgres), time.perf_counter()
    answer = await endpoint.client.post("/v1/twitter/imports", content=pieces(), timeout=3600)
    seconds = time.perf_counter() - started
    answer.raise_for_status()
    rows = answer.json()["data"]["rows"]
    used, behind = endpoint.used()[0] - cpu, _cpu_below(endpoint.postgres) - backend
    return rows / seconds, used / rows * 1e6, behind / rows * 1e6


def _cpu_below(pid: int) -> float:
    """Return CPU seconds of a PostgreSQL server and its backends, those that have ended included."""
    total = 0.0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if int(stat.parent.name) == pid:
            total += sum(map(int, fields[11:15]))
        elif int(fields[1]) == pid:
            total += sum(map(int, fields[11:13]))
    return total / os.sysconf("SC_CLK_TCK")


def file_pieces(path: Path) -> Iterator[bytes]:
    """Yield a file in pieces."""
    with path.open("rb") as file:
        while piece := file.read(1 << 18):
            yield piece


def lean_lines(tweets: int) -> Iterator[bytes]:
    """Yield JSON Lines of tweets with few fields, made on the way."""
    draw, held = random.Random(7), list[bytes]()
    for number in range(tweets):
        item = {"id": str(id_of(number)), "author_id": str(number % 50_000), "username": f"u{number % 50_000}"}
        held.append(
            orjson.dumps(
                {
                    **item,
                    "text": f"{text_of(number, draw)} barrio{number % 9973}",
                    "created_at": time_of(number),
                    "lang": "es",
                }
            )
        )
        if len(held) == 1000:
            yield b"\n".join(held) + b"\n"
            held.clear()
    yield b"\n".join(held)


def twarc(path: Path, target: Path | None) -> tuple[float, float]:
    """Return tweets per second, and CPU microseconds per tweet, of twarc with this file."""
    uv = Path(sys.executable).with_name("uv")
    command = [uv, "run", "--quiet", "--isolated", "--no-project", "--python", sys.executable, "--with", "twarc>=2.14"]
    script = ["python", Path(__file__).with_name("twarc_process.py"), path]
    done = subprocess.run(
        [*command, *script, *([target] if target else [])], capture_output=True, check=True, text=True
    )
    seconds, cpu, read, _ = map(float, done.stdout.split())
    return read / seconds, cpu / read * 1e6


def parse_only(path: Path) -> tuple[float, float]:
    """Return CPU microseconds per row of parsing, and of matching, in this process."""
    file, found = TweetFile(), list[Any]()
    started = time.process_time()
    for piece in file_pieces(path):
        found += parse(file.read(piece))
    found += parse(file.read_last(b""))
    parsed = time.process_time()
    Batch.of([item for item in found if isinstance(item, NewTweet)], Matcher(ENTITIES), 1)
    return (parsed - started) / len(found) * 1e6, (time.process_time() - parsed) / len(found) * 1e6


async def copy_only(database: asyncpg.Connection) -> float:
    """Return rows per second of PostgreSQL copying the stored rows into bare tables: what no importer can pass."""
    columns = "id, username, author_id, created_at, text, lang, metrics, axes, places, import_id, change_seq"
    await database.execute(f"CREATE TABLE bare AS SELECT {columns} FROM tweets; CREATE TABLE bare_raw (LIKE tweet_raw)")
    rows, raws = await database.fetch("SELECT * FROM bare"), await database.fetch("SELECT * FROM tweet_raw")
    await database.execute("TRUNCATE bare")
    started = time.perf_counter()
    await database.copy_records_to_table("bare", records=map(tuple, rows))
    await database.copy_records_to_table("bare_raw", records=map(tuple, raws))
    seconds = time.perf_counter() - started
    await database.execute("DROP TABLE bare, bare_raw")
    return len(rows) / seconds


async def against_twarc(endpoint: Endpoint, folder: Path) -> None:
    """Print the import of one file beside twarc's work on it."""
    path, rounds = folder / "pages.jsonl", list[tuple[float, ...]]()
    await asyncio.to_thread(write_pages, path, SAME_FILE)
    await asyncio.to_thread(twarc, path, None)  # the first call installs it
    for _ in range(ROUNDS):
        await empty(endpoint)
        bare, bare_cpu = await asyncio.to_thread(twarc, path, None)
        ours, cpu, backend = await import_rate(endpoint, lambda: file_pieces(path))
        written, written_cpu = await asyncio.to_thread(twarc, path, folder / "flat.jsonl")
        rounds.append((ours, bare, written, ours / bare, ours / written, cpu, backend, bare_cpu, written_cpu))
    ours, bare, written, by_bare, by_written, cpu, backend, bare_cpu, written_cpu = map(
        statistics.median, zip(*rounds, strict=True)
    )
    print(f"{SAME_FILE} tweets in {path.stat().st_size / 1e6:.0f} MB of pages, median of {ROUNDS} rounds")
    print(f"{'':44}{'rows/s':>9}{'ours/it':>9}{'CPU us/row':>12}")
    print(f"{'import: parse, match, store (mTLS API)':44}{ours:9.0f}{'':9}{cpu:6.0f} + {backend:.0f} in PostgreSQL")
    print(f"{'twarc flatten + de-duplicate':44}{bare:9.0f}{by_bare:9.2f}{bare_cpu:6.0f}")
    print(f"{'twarc flatten + de-duplicate, written':44}{written:9.0f}{by_written:9.2f}{written_cpu:6.0f}")
    parsing, matching = await asyncio.to_thread(parse_only, path)
    print(f"of the import: parsing {parsing:.1f} us, matching {matching:.1f} us of CPU per row; the rest stores")
    limit = await copy_only(endpoint.database)
    print(f"PostgreSQL's COPY of the same rows into bare tables: {limit:.0f} rows/s, import/it {ours / limit:.2f}")


async def memory(endpoint: Endpoint, most: int) -> None:
    """Print the service's memory at few and at many rows; the last import stays."""
    for rows in (*(size for size in SIZES if size < most), most):
        await empty(endpoint)
        parser: list[float] = []
        watching = asyncio.create_task(watch_parser(parser))
        rate, *_ = await import_rate(endpoint, lambda rows=rows: lean_lines(rows))  # type: ignore[misc]
        watching.cancel()
        print(
            f"import of {rows:>8} rows: {rate:7.0f} rows/s; highest resident memory {endpoint.used()[1]:6.0f} MiB, "
            f"of the process that parses {max(parser, default=0):4.0f} MiB"
        )


async def feed(endpoint: Endpoint, most: int) -> None:
    """Print rows per second of one reader of the feed."""
    after, rows, started = 0, 0, time.perf_counter()
    while rows < min(most, 100_000):
        answer = await endpoint.client.get(
            "/v1/twitter/tweets/feed", params={"after": after, "limit": 1000}, timeout=60
        )
        page = answer.raise_for_status().json()
        rows, after = rows + len(page["data"]["items"]), int(page["meta"]["next_cursor"])
    print(f"feed, pages of 1,000: {rows / (time.perf_counter() - started):.0f} rows/s")


async def index_words(endpoint: Endpoint) -> None:
    """Print how fast words are indexed after the import."""
    started = time.perf_counter()
    first = behind = int((await endpoint.client.get("/v1/twitter/scores/progress")).json()["data"]["search_behind"])
    while behind:
        await asyncio.sleep(1)
        behind = (await endpoint.client.get("/v1/twitter/scores/progress")).json()["data"]["search_behind"]
    print(f"indexing of words: {first / (time.perf_counter() - started):.0f} rows/s")
    await endpoint.database.execute("ANALYZE tweets; ANALYZE tweet_search; ANALYZE tweet_entities")


async def search(endpoint: Endpoint, rows: int) -> None:
    """Print how fast the first page, newest first, of each query is answered."""
    seconds: dict[str, list[float]] = {name: [] for name in QUERIES}
    for _ in range(ASKED):
        for name, query in QUERIES.items():
            asked = time.perf_counter()
            answer = await endpoint.client.get("/v1/twitter/tweets", params={**query, "limit": 50}, timeout=60)
            answer.raise_for_status()
            seconds[name].append(time.perf_counter() - asked)
    print(f"full-text queries at {rows} rows, first page, newest first; ms{'p50':>18}{'p99':>9}")
    seconds["all"] = [one for taken in seconds.values() for one in taken]
    for name, taken in seconds.items():
        cuts = statistics.quantiles(taken, n=100, method="inclusive")
        print(f"  {name:70}{cuts[49] * 1000:9.1f}{cuts[98] * 1000:9.1f}")


async def run(rows: int, parts: list[str]) -> None:
    """Measure and print."""
    with postgres_server() as server, tempfile.TemporaryDirectory() as folder:
        async with running(server) as endpoint:
            await track(endpoint.client)
            if "twarc" in parts:
                await against_twarc(endpoint, Path(folder))
            if "size" in parts:
                await memory(endpoint, rows)
                await feed(endpoint, rows)
                await index_words(endpoint)
                await search(endpoint, rows)
    print(f"load average at the end: {', '.join(f'{one:.1f}' for one in os.getloadavg())}")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m bench twitter")
    parser.add_argument("--rows", type=int, default=1_000_000, help="rows of the largest import")
    parser.add_argument("--part", choices=["twarc", "size"], action="append", help="measure only this")
    options = parser.parse_args()
    asyncio.run(run(options.rows, options.part or ["twarc", "size"]))
