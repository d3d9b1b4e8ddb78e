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
import tempfile
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

import uvloop

from bench.openai.client import ROUND_SECONDS, Client, Samples
from bench.openai.gateways import LITELLM, database, litellm, ours
from bench.openai.processes import COST_USD, Contestant, child
from castor_chassis.testing import Authority
from castor_chassis.tls import TlsFiles

CONCURRENCY = (1, 16, 64)


ROUNDS = int(os.environ.get("CASTOR_BENCH_ROUNDS", "5"))


CALLS, AFFORDABLE = 500, 100


OURS, TLS, BARE = "castor", "castor, mutual TLS", "passthrough"


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
