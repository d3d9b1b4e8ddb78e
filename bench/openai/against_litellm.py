"""openai-service beside LiteLLM's proxy and a bare passthrough, in front of one fake upstream; then the budget trace.

Both gateways run one process, authenticate every request, know the model's price, and check a budget that has room:
ours verifies a signed token and holds the money in PostgreSQL (with fsync) before each call; LiteLLM compares a master
key and keeps a provider's budget in memory, since its database layer needs engines that no package index has. Neither
caches; every prompt is another. Ours is measured twice: over plain HTTP as the others, and over mutual TLS as it really
runs. Rounds of all contestants take turns, so that what else the machine does hits all of them.

"Added" is the latency less the passthrough's in the same run. The fake upstream answers after 20 ms in the budget trace
and at once otherwise.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import ssl
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import orjson
import uvloop

from bench.openai.processes import COST_USD, MASTER_KEY, MODEL, PRICE, Contestant, child, end
from castor_chassis.storage.migrations import migrate
from castor_chassis.testing import Authority, tls_settings
from castor_chassis.tls import TlsFiles
from castor_devstack.stack.postgres import EmbeddedPostgres
from castor_devstack.supervision.os_user import postgres_account
from castor_devstack.testing import scratch_folder

CONCURRENCY = (1, 16, 64)
ROUNDS = int(os.environ.get("CASTOR_BENCH_ROUNDS", "5"))
ROUND_SECONDS = 2.0
CALLS, AFFORDABLE = 500, 100
OURS, TLS, LITELLM, BARE = "castor", "castor, mutual TLS", "LiteLLM", "passthrough"
_CONFIG = """
model_list:
  - model_name: {model}
    litellm_params:
      model: openai/{model}
      api_base: {upstream}
      api_key: sk-upstream
      input_cost_per_token: {prompt}
      output_cost_per_token: {completion}
router_settings:
  num_retries: 0
  provider_budget_config:
    openai: {{budget_limit: {budget}, time_period: 30d}}
general_settings: {{master_key: {key}}}
litellm_settings: {{telemetry: false}}
"""


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


@contextmanager
def database() -> Iterator[str]:
    """Yield the URL of a migrated database on a PostgreSQL of its own, durable as in production."""
    account = postgres_account()
    with scratch_folder(account) as folder:
        server = EmbeddedPostgres(
            folder / "postgres", port=_free_port(), password=secrets.token_urlsafe(), account=account
        )
        server.start()
        try:
            server.provision({"openai": "openai"})
            url = server.url("openai", "openai", "openai")
            asyncio.run(migrate(url, "openai_service"))
            yield url
        finally:
            server.stop()


@contextmanager
def litellm(upstream: str, budget_usd: float) -> Iterator[Contestant]:
    """Run LiteLLM's proxy, installed for this alone."""
    port = _free_port()
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        prompt, completion = (f"{price / 1e6:.10f}" for price in PRICE)
        budget = f"{budget_usd:.9f}"
        file.write(
            _CONFIG.format(
                model=MODEL, upstream=upstream, prompt=prompt, completion=completion, budget=budget, key=MASTER_KEY
            )
        )
        file.flush()
        uv = Path(sys.executable).with_name("uv")
        command = [
            str(uv), "run", "--isolated", "--no-project", "--quiet", "--with", "litellm[proxy]",
            "litellm", "--config", file.name, "--host", "127.0.0.1", "--port", str(port), "--num_workers", "1",
        ]  # fmt: skip
        environment = {**os.environ, "LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_LOG": "ERROR"}
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)
        try:
            url = f"http://127.0.0.1:{port}"
            _until_alive(f"{url}/health/liveliness", process)
            yield Contestant(LITELLM, url, MASTER_KEY, process)
        finally:
            end(process)


@contextmanager
def ours(
    name: str, upstream: str, budget_usd: float, database_url: str, files: TlsFiles | None
) -> Iterator[Contestant]:
    """Run one openai-service."""
    given = {
        **(tls_settings(files) if files else {"api_port": 0, "management_port": 0, "drain_delay_seconds": 0}),
        "database_url": database_url,
        "openai_base_url": upstream,
        "openai_api_key": "sk-upstream",
        "budgets": {"total": budget_usd},
        "price_table": {MODEL: PRICE},
        "chat_cache_seconds": 0,
        "peer_max_connections": 1000,
        "max_concurrent_requests": 2000,
    }
    with child("ours", given) as (place, process):
        context = files.client_context() if files else None
        yield Contestant(name, place["url"], place["token"], process, "/v1/openai/chat/completions", {"ssl": context})


def _free_port() -> int:
    import socket

    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _until_alive(url: str, process: subprocess.Popen[bytes], seconds: float = 180) -> None:
    ends = time.monotonic() + seconds
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except (urllib.error.URLError, OSError):
            if process.poll() is not None or time.monotonic() > ends:
                raise
            time.sleep(0.5)


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


Table = dict[tuple[str, int], Samples]


async def race(contestants: list[Contestant]) -> Table:
    """Let all take turns, ``ROUNDS`` times at each concurrency, after a warm-up."""
    table: Table = {(one.name, at): Samples() for one in contestants for at in CONCURRENCY}
    clients = [Client(one) for one in contestants]
    for client in clients:
        await client.round(4, Samples())
    for _ in range(ROUNDS):
        for concurrency in CONCURRENCY:
            for client in clients:
                await client.round(concurrency, table[client.contestant.name, concurrency])
    for client in clients:
        await client.close()
    return table


async def trace(contestant: Contestant) -> tuple[Counter[int], float]:
    """Make ``CALLS`` calls at once; return the statuses and the USD that the upstream was made to charge."""
    client = Client(contestant)
    statuses = Counter(await asyncio.gather(*(client.ask() for _ in range(CALLS))))
    await client.close()
    return statuses, statuses[200] * COST_USD


def print_table(table: Table, names: list[str]) -> None:
    """Print what was measured, and the ratios to LiteLLM."""
    print(f"{'':20}{'callers':>8}{'req/s':>9}{'p50 ms':>9}{'p99 ms':>9}{'+p50':>8}{'+p99':>9}")
    for concurrency in CONCURRENCY:
        bare = table[BARE, concurrency]
        for name in names:
            one = table[name, concurrency]
            p50, p99 = one.quantile_ms(0.5), one.quantile_ms(0.99)
            added = p50 - bare.quantile_ms(0.5), p99 - bare.quantile_ms(0.99)
            print(f"{name:20}{concurrency:8}{one.rate():9.0f}{p50:9.2f}{p99:9.2f}{added[0]:8.2f}{added[1]:9.2f}")
    for name in (OURS, TLS):
        for concurrency in CONCURRENCY:
            print_ratio(name, concurrency, table)


def print_ratio(name: str, concurrency: int, table: Table) -> None:
    """Print requests per second and added latency as shares of LiteLLM's."""
    one, other, bare = (table[each, concurrency] for each in (name, LITELLM, BARE))
    added = {
        share: (one.quantile_ms(share) - bare.quantile_ms(share)) / (other.quantile_ms(share) - bare.quantile_ms(share))
        for share in (0.5, 0.99)
    }
    rate = one.rate() / other.rate()
    print(
        f"{name} / LiteLLM at {concurrency:2}: req/s x{rate:.1f}, added p50 x{added[0.5]:.3f}, p99 x{added[0.99]:.3f}"
    )


def speed(database_url: str, files: TlsFiles) -> None:
    """Measure requests per second, latency and memory."""
    with ExitStack() as stack:
        upstream, _ = stack.enter_context(child("upstream", 0.0))
        url = upstream["url"]
        place, process = stack.enter_context(child("passthrough", url))
        contestants = [
            Contestant(BARE, place["url"], "none", process),
            stack.enter_context(ours(OURS, url, 1_000_000, database_url, None)),
            stack.enter_context(ours(TLS, url, 1_000_000, database_url, files)),
            stack.enter_context(litellm(url, 1_000_000)),
        ]
        before = {one.name: one.rss_mb() for one in contestants}
        table = uvloop.run(race(contestants))
        print_table(table, [one.name for one in contestants])
        memory = {one.name: one.rss_mb() for one in contestants}
        for name, rss in memory.items():
            print(f"memory of {name:20}{before[name]:7.0f} MB, after {_asked(table, name)} calls {rss:.0f} MB")
        print(f"memory: castor / LiteLLM x{memory[OURS] / memory[LITELLM]:.2f}")


def _asked(table: Table, name: str) -> int:
    return sum(len(one) for at in CONCURRENCY for one in table[name, at].latencies)


def overshoot(database_url: str) -> None:
    """Send 500 calls at once against a budget for 100."""
    budget = AFFORDABLE * COST_USD
    with ExitStack() as stack:
        upstream, _ = stack.enter_context(child("upstream", 0.02))
        url = upstream["url"]
        limited = [
            stack.enter_context(ours(OURS, url, budget, database_url, None)),
            stack.enter_context(litellm(url, budget)),
        ]
        print(f"{CALLS} calls at once of {COST_USD:.6f} USD, budget {budget:.4f} USD")
        for one in limited:
            statuses, spent = uvloop.run(trace(one))
            over = max(0.0, spent - budget)
            print(
                f"{one.name:10}{dict(sorted(statuses.items()))}: {spent:.4f} USD, {over / budget:.0%} over the budget"
            )


def main() -> None:
    """Measure, and print."""
    load = os.getloadavg()
    print(f"load average before: {load[0]:.1f} on {os.cpu_count()} cores; {ROUNDS} rounds of {ROUND_SECONDS:g} s each")
    with tempfile.TemporaryDirectory() as folder:
        files = Authority.create().write(Path(folder), "openai-service")
        with database() as url:
            overshoot(url)
        with database() as url:
            speed(url, files)
    print(f"load average after: {os.getloadavg()[0]:.1f}")
