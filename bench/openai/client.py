"""The client: rounds of calls, their latencies and rates."""

from __future__ import annotations

import asyncio
import ssl
import statistics
import time
from dataclasses import dataclass, field

import aiohttp
import orjson

from bench.openai.processes import MODEL, Contestant

ROUND_SECONDS = 2.0


@dataclass
class Samples:
    """Latencies in seconds and requests per second of one contestant at one concurrency, a list entry a round."""

    latencies: list[list[float]] = field(default_factory=list)
    rates: list[float] = field(default_factory=list)

    def rate(self) -> float:
        """Return the median of the rounds."""
        return statistics.median(self.rates)

    def quantile_ms(self, share: float) -> float:
        """Return the median over rounds of a round's quantile, in ms."""
        return statistics.median(sorted(r)[min(len(r) - 1, int(share * len(r)))] for r in self.latencies) * 1000


class Client:
    """Asks one contestant, over connections that are kept."""

    def __init__(self, contestant: Contestant) -> None:
        self.contestant = contestant
        context: ssl.SSLContext | None = contestant.more.get("ssl")
        connector = aiohttp.TCPConnector(limit=0, ssl=context or True)
        self._session = aiohttp.ClientSession(connector=connector)
        self._headers = {"Authorization": f"Bearer {contestant.token}", "Content-Type": "application/json"}
        self._number = 0

    async def ask(self) -> int:
        """Make one call with a prompt of its own and return its status."""
        self._number += 1
        message = {
            "role": "user",
            "content": f"¿Qué se dice de la salud en Cali? Pregunta {self._number}. " + "x" * 400,
        }
        body = orjson.dumps({"model": MODEL, "messages": [message], "max_tokens": 500})
        url = self.contestant.url + self.contestant.path
        async with self._session.post(url, data=body, headers=self._headers) as reply:
            await reply.read()
            return reply.status

    async def round(self, concurrency: int, samples: Samples) -> None:
        """Ask for ``ROUND_SECONDS`` from ``concurrency`` callers at once."""
        latencies: list[float] = []
        started = time.perf_counter()

        async def caller() -> None:
            while time.perf_counter() - started < ROUND_SECONDS:
                asked = time.perf_counter()
                status = await self.ask()
                assert status == 200, f"{self.contestant.name} answered {status}"
                latencies.append(time.perf_counter() - asked)

        await asyncio.gather(*(caller() for _ in range(concurrency)))
        samples.latencies.append(latencies)
        samples.rates.append(len(latencies) / (time.perf_counter() - started))

    async def close(self) -> None:
        """Hang up."""
        await self._session.close()
