"""Imports of twitter-service against twarc, memory, the feed, and full-text search.

One import through the mTLS API parses, de-duplicates, matches entities and axes, and stores in PostgreSQL (with the
settings of `castor up`: fsync on). twarc flattens and de-duplicates the same file, once to nowhere and once, as
``twarc2 flatten`` does, into a file; it stores nothing and matches nothing. Rounds alternate, so what else the machine
does hits both. sentiment-service is absent, and words are indexed after the import, whose rate is given apart.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import asyncpg
import orjson
import uvloop

from bench._tweets import id_of, text_of, time_of, write_pages
from castor_chassis.http import httpx
from castor_chassis.postgres import migrate
from castor_chassis.telemetry import configure_logging
from castor_chassis.testing import Authority, TokenIssuer, run_service, tls_settings
from castor_chassis.tls import TlsFiles
from castor_devstack.osuser import postgres_account
from castor_devstack.ports import PortLeases
from castor_devstack.postgres import EmbeddedPostgres
from castor_devstack.testing import scratch_folder
from twitter_service.app import create_app
from twitter_service.files import TweetFile
from twitter_service.intake import Batch
from twitter_service.matching import Matcher, Terms
from twitter_service.settings import TwitterSettings
from twitter_service.tweets import NewTweet

SAME_FILE = int(os.environ.get("BENCH_TWEETS", "40000"))
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "4"))
FEW, MANY = 10_000, int(os.environ.get("BENCH_MANY", "1000000"))
SCOPES = ["tweets:read", "tweets:write", "entities:write", "feed:read", "counts:read"]
TABLES = "tweets, tweet_entities, tweet_raw, tweet_search, tweet_versions, retweets, authors, imports"
QUERIES = ("corrupción", "reforma salud", '"acuerdo de paz"', "campesinos -seguridad", "felidad", "camino OR pareza")
ENTITIES = (
    Terms("petro", ("petrogustavo",), ("Gustavo Petro", "Petro"), ("PactoHistorico",)),
    Terms("fico", ("FicoGutierrez",), ("Fico Gutiérrez",)),
    Terms("fajardo", ("sergio_fajardo",), ("Sergio Fajardo",)),
    Terms("hernandez", ("ingrodolfohdez",), ("Rodolfo Hernández",)),
)


@dataclass
class Endpoint:
    """A running service: its client, its database, and a pipe that answers what it has used so far."""

    client: httpx.AsyncClient
    database: asyncpg.Connection
    postgres: int
    pipe: Connection

    def used(self) -> tuple[float, float]:
        """Return CPU seconds and the highest resident memory in MiB of the service's process."""
        self.pipe.send("used")
        cpu, peak = self.pipe.recv()
        return float(cpu), float(peak)


@contextmanager
def postgres() -> Iterator[EmbeddedPostgres]:
    """Run a PostgreSQL of its own with the settings of `castor up`."""
    account = postgres_account()
    port = PortLeases().choose({"postgres": 0})["postgres"]
    with scratch_folder(account) as folder:
        server = EmbeddedPostgres(folder / "postgres", port=port, password="bench", account=account)
        server.start()
        try:
            server.provision({"bench": "bench"})
            yield server
        finally:
            server.stop()


def serve(files: TlsFiles, url: str, pipe: Connection) -> None:
    """Run the service in this process until the pipe says otherwise."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # the access log is written for real, to nowhere
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    configure_logging("twitter-service", "INFO")
    uvloop.run(_serve(files, url, pipe))


async def _serve(files: TlsFiles, url: str, pipe: Connection) -> None:
    issuer = TokenIssuer()
    limits = {"import_max_bytes": 8 * 1024**3, "rate_limit": "1000000/minute", "search_max_lag_seconds": 3600}
    absent = {"sentiment_url": "https://127.0.0.1:9", "auth_url": "https://127.0.0.1:9"}
    settings = TwitterSettings(**{**tls_settings(files), **limits, **absent, "database_url": url})
    async with run_service(create_app(settings, keys=issuer), settings) as service:
        await service.ready()
        pipe.send((service.url, issuer.user_token(SCOPES)))
        while await asyncio.to_thread(pipe.recv) != "stop":
            pipe.send((time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024))


@asynccontextmanager
async def running(server: EmbeddedPostgres) -> AsyncIterator[Endpoint]:
    """Start the service in a process of its own, beside nothing but PostgreSQL."""
    url, authority = server.url("bench", "bench", "bench"), Authority.create()
    await migrate(url, "twitter_service")
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    with tempfile.TemporaryDirectory() as folder:
        files = authority.write(Path(folder), "twitter-service")
        process = context.Process(target=serve, args=(files, url, theirs), daemon=True)
        process.start()
        base, token = await asyncio.to_thread(ours.recv)
        tls = authority.write(Path(folder), "trending-service").client_context()
        headers = {"Authorization": f"Bearer {token}"}
        database = await asyncpg.connect(url)
        async with httpx.AsyncClient(base_url=base, verify=tls, headers=headers, trust_env=False) as client:
            yield Endpoint(client, database, server.pid or 0, ours)
        await database.close()
        ours.send("stop")
        await asyncio.to_thread(process.join, 20)


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
        held.append(orjson.dumps({**item, "text": text_of(number, draw), "created_at": time_of(number), "lang": "es"}))
        if len(held) == 1000:
            yield b"\n".join(held) + b"\n"
            held.clear()
    yield b"\n".join(held)


def twarc(path: Path, target: Path | None) -> tuple[float, float]:
    """Return tweets per second, and CPU microseconds per tweet, of twarc with this file."""
    uv = Path(sys.executable).with_name("uv")
    command = [uv, "run", "--quiet", "--isolated", "--no-project", "--python", sys.executable, "--with", "twarc>=2.14"]
    script = ["python", Path(__file__).with_name("_twarc.py"), path]
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
        found += file.feed(piece)
    found += file.finish()
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


async def memory(endpoint: Endpoint) -> None:
    """Print the service's memory at few and at many rows."""
    for rows in (FEW, MANY):
        await empty(endpoint)
        rate, *_ = await import_rate(endpoint, lambda rows=rows: lean_lines(rows))  # type: ignore[misc]
        print(f"import of {rows:>8} rows: {rate:7.0f} rows/s, highest resident memory {endpoint.used()[1]:6.0f} MiB")


async def feed(endpoint: Endpoint) -> None:
    """Print rows per second of one reader of the feed."""
    after, rows, started = 0, 0, time.perf_counter()
    while rows < min(MANY, 100_000):
        answer = await endpoint.client.get(
            "/v1/twitter/tweets/feed", params={"after": after, "limit": 1000}, timeout=60
        )
        page = answer.raise_for_status().json()
        rows, after = rows + len(page["data"]["items"]), int(page["meta"]["next_cursor"])
    print(f"feed, pages of 1,000: {rows / (time.perf_counter() - started):.0f} rows/s")


async def search(endpoint: Endpoint) -> None:
    """Print how fast words are indexed, and how fast they are found."""
    started, seconds = time.perf_counter(), list[float]()
    first = int((await endpoint.client.get("/v1/twitter/scores/progress")).json()["data"]["search_behind"])
    while (await endpoint.client.get("/v1/twitter/scores/progress")).json()["data"]["search_behind"]:  # noqa: ASYNC110
        await asyncio.sleep(1)
    print(f"indexing of words: {first / max(time.perf_counter() - started, 1e-9):.0f} rows/s")
    await endpoint.database.execute("ANALYZE tweets; ANALYZE tweet_search")
    for _ in range(20):
        for query in QUERIES:
            asked = time.perf_counter()
            answer = await endpoint.client.get("/v1/twitter/tweets", params={"q": query, "limit": 50}, timeout=60)
            answer.raise_for_status()
            seconds.append(time.perf_counter() - asked)
    cuts = statistics.quantiles(seconds, n=100, method="inclusive")
    print(f"full-text query at {MANY} rows: p50 {cuts[49] * 1000:.1f} ms, p99 {cuts[98] * 1000:.1f} ms")
    for number, query in enumerate(QUERIES):
        print(f"  {query:28}{statistics.median(seconds[number :: len(QUERIES)]) * 1000:9.1f} ms")


async def run() -> None:
    """Measure and print."""
    with postgres() as server, tempfile.TemporaryDirectory() as folder:
        async with running(server) as endpoint:
            await track(endpoint.client)
            await against_twarc(endpoint, Path(folder))
            await memory(endpoint)
            await feed(endpoint)
            await search(endpoint)
    print(f"load average at the end: {', '.join(f'{one:.1f}' for one in os.getloadavg())}")


def main() -> None:
    """Print the table."""
    asyncio.run(run())
