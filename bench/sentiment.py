"""Texts per second through the mTLS API of sentiment-service, against the bare classifier in the same run.

The service runs in a process of its own, as it does in production, and the bare classifier in this one: on a machine
with two free cores neither disturbs the other, and the service's CPU per text is printed beside the elapsed time.
The texts are real tweets when CASTOR_DATA (or ../shared/data) has them, else Spanish sentences put together here.
"""

from __future__ import annotations

import asyncio
import csv
import math
import multiprocessing
import os
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import product
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import uvloop

from castor_chassis.http import httpx
from castor_chassis.telemetry import configure_logging
from castor_chassis.testing import Authority, TokenIssuer, run_service, tls_settings
from castor_chassis.tls import TlsFiles
from sentiment_service.app import create_app
from sentiment_service.classifier import LinearClassifier
from sentiment_service.preparation import prepare
from sentiment_service.settings import SentimentSettings

TEXTS = 4000
SINGLES = 600
_DATA = Path(os.environ.get("CASTOR_DATA") or Path(__file__).parents[2] / "shared" / "data")
_SUBJECTS = ("El candidato", "La senadora", "Este gobierno", "El alcalde de Cali", "La propuesta de pensiones")
_VERBS = ("prometió", "defendió con calma", "volvió a negar", "no cumplió", "celebró", "explicó en el debate")
_OBJECTS = ("la reforma a la salud", "el acuerdo de paz", "los impuestos más altos", "el plan para los jóvenes")
_TAILS = (
    "qué vergüenza 😡",
    "y me alegra mucho 👏",
    "según la prensa https://t.co/x",
    "@user #Elecciones2026",
    "¿será?",
)


@dataclass
class Endpoint:
    """A running service: where, who may call it, and a pipe that answers with the CPU seconds it has used."""

    url: str
    token: str
    pipe: Connection

    def cpu_seconds(self) -> float:
        """Return the CPU time of the service so far."""
        self.pipe.send("cpu")
        return float(self.pipe.recv())


def tweets() -> list[str]:
    """Return distinct texts of the length of tweets."""
    path = _DATA / "colombia_2022_tweets.csv"
    if path.is_file():
        with path.open(encoding="utf-8", newline="") as file:
            texts = [row["text"] for row in csv.DictReader(file)]
        return list(dict.fromkeys(texts))[:TEXTS]
    parts = product(range(7), _SUBJECTS, _VERBS, _OBJECTS, _TAILS)
    made = [f"{one} {two} {three}, {four} y dicen que van {number} veces" for number, one, two, three, four in parts]
    return made[:TEXTS]


def serve(files: TlsFiles, given: dict[str, Any], pipe: Connection) -> None:
    """Run the service in this process until the pipe says otherwise."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # the access log is written for real, to nowhere
    configure_logging("sentiment-service", "INFO")
    uvloop.run(_serve(files, given, pipe))


async def _serve(files: TlsFiles, given: dict[str, Any], pipe: Connection) -> None:
    issuer = TokenIssuer()
    settings = SentimentSettings(**{**tls_settings(files), "max_concurrent_requests": 512, **given})
    async with run_service(create_app(settings, keys=issuer), settings) as service:
        await service.ready()
        pipe.send((service.url, issuer.user_token(["sentiment:analyze"])))
        while await asyncio.to_thread(pipe.recv) != "stop":
            pipe.send(time.process_time())


@asynccontextmanager
async def running(
    authority: Authority, folder: Path, **given: Any
) -> AsyncIterator[tuple[Endpoint, httpx.AsyncClient]]:
    """Start a service with the settings ``given`` in a process of its own, with a client of it."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    files = authority.write(folder, "sentiment-service")
    process = context.Process(target=serve, args=(files, given, theirs), daemon=True)
    process.start()
    url, token = await asyncio.to_thread(ours.recv)
    endpoint = Endpoint(url, token, ours)
    tls = authority.write(folder, "twitter-service").client_context()
    headers = {"Authorization": f"Bearer {endpoint.token}"}
    async with httpx.AsyncClient(base_url=endpoint.url, verify=tls, headers=headers, trust_env=False) as client:
        yield endpoint, client
    ours.send("stop")
    await asyncio.to_thread(process.join, 20)


async def load(client: httpx.AsyncClient, batches: Sequence[Sequence[str]], clients: int) -> list[float]:
    """Send each batch once, ``clients`` at a time, and return the seconds that each took."""
    todo, seconds = iter(batches), list[float]()

    async def work() -> None:
        for texts in todo:
            started = time.perf_counter()
            items = [{"id": str(number), "text": text} for number, text in enumerate(texts)]
            answer = await client.post("/v1/sentiment/batch", json={"items": items}, timeout=60)
            answer.raise_for_status()
            seconds.append(time.perf_counter() - started)

    await asyncio.gather(*(work() for _ in range(clients)))
    return seconds


async def measure(
    endpoint: Endpoint, client: httpx.AsyncClient, batches: Sequence[Sequence[str]], clients: int
) -> tuple[float, float, float, float]:
    """Return texts per second, CPU microseconds of the service per text, and p50 and p99 in milliseconds."""
    count = sum(map(len, batches))
    cpu, started = endpoint.cpu_seconds(), time.perf_counter()
    seconds = await load(client, batches, clients)
    rate = count / (time.perf_counter() - started)
    cuts = statistics.quantiles(seconds, n=100, method="inclusive")
    return rate, (endpoint.cpu_seconds() - cpu) / count * 1e6, cuts[49] * 1000, cuts[98] * 1000


def bare(function: Callable[[Sequence[str]], object], texts: Sequence[str], size: int) -> float:
    """Return texts per second of CPU in this thread, without any service."""
    started = time.thread_time()
    for start in range(0, len(texts), size):
        function(texts[start : start + size])
    return len(texts) / (time.thread_time() - started)


def batched(texts: Sequence[str], size: int) -> list[Sequence[str]]:
    """Cut ``texts`` into batches of ``size``."""
    return [texts[start : start + size] for start in range(0, len(texts), size)]


async def run() -> None:
    """Measure and print the table."""
    texts, classifier, authority = tweets(), LinearClassifier.load(), Authority.create()
    reference = bare(classifier.classify, texts, 500)
    print(f"{len(texts)} texts{'':38}{'texts/s':>9}{'x bare':>8}{'CPU us':>8}{'p50 ms':>8}{'p99 ms':>8}")
    _row("bare classifier, batches of 500", reference, reference)
    _row("bare classifier, one by one", bare(classifier.classify, texts[:SINGLES], 1), reference)
    guarded = bare(lambda some: (prepare(classifier, some), classifier.classify(some)), texts, 500)
    _row("with the language guard, batches of 500", guarded, reference)
    with tempfile.TemporaryDirectory() as folder:
        async with running(authority, Path(folder)) as (endpoint, client):
            for size, clients in ((500, 1), (500, 2), (250, 2), (1, 1), (1, 16), (1, 64)):
                some = batched(texts if size > 1 else texts[:SINGLES], size)
                name = f"mTLS API, batches of {size}, {clients} at a time"
                _row(name, *_with_reference(reference, await measure(endpoint, client, some, clients)))
            bulk = asyncio.create_task(load(client, batched(texts, 500), 2))
            mixed = await measure(endpoint, client, batched(texts[:60], 1), 1)
            await bulk
            # The service's CPU went to the other load as well, so none is shown.
            _row("one by one beside 2 x 500 at a time", mixed[0], reference, math.nan, *mixed[2:])


def _with_reference(reference: float, measured: tuple[float, float, float, float]) -> tuple[float, ...]:
    return measured[0], reference, *measured[1:]


def _row(name: str, rate: float, reference: float, *rest: float) -> None:
    print(f"{name:48}{rate:9.0f}{rate / reference:8.2f}" + "".join(f"{value:8.1f}" for value in rest))


def main() -> None:
    """Print the table."""
    uvloop.run(run())
