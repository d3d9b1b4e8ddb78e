"""One release of the chassis's small service under load; keeps what its /metrics said after each round.

Run as a process of its own, because the client library's registry is one per process:
``python -m tools.canary.release '{"fast": 10, "broken": 2}' 25 recording.json``.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import sys
import tempfile
from pathlib import Path

from castor_chassis.client.transport import httpx
from castor_chassis.observability.logging import configure_logging
from castor_chassis.testing import Authority, RunningService, TokenIssuer, run_service, tls_settings
from tools.observability.slo import ROOT

PATHS = {
    "fast": "/v1/small/slow?seconds=0.002",
    "slow": "/v1/small/slow?seconds=0.8",
    "broken": "/v1/small/broken",
}
"""What a round may ask; the duration is the service's own."""


async def record(mix: dict[str, float], rounds: int) -> list[str]:
    """Return the text of /metrics before the load and after each of ``rounds`` rounds.

    ``mix`` says how many requests of each kind a round makes; a fraction makes one every so many rounds.
    """
    sys.path.insert(0, str(ROOT / "chassis" / "tests"))
    small = importlib.import_module("small_service.app")

    with tempfile.TemporaryDirectory() as folder:
        files = Authority.create().write(Path(folder), "small-service")
        settings = small.SmallSettings(**tls_settings(files))
        async with run_service(small.create_app(settings, keys=TokenIssuer()), settings) as service:
            return await _under_load(service, mix, rounds)


async def _under_load(service: RunningService, mix: dict[str, float], rounds: int) -> list[str]:
    owed = dict.fromkeys(mix, 0.0)
    # Handshakes are not what is compared; a release in production is warm when its analysis begins.
    await asyncio.gather(*(service.client.get(PATHS["fast"]) for _ in range(int(sum(mix.values())))))
    async with httpx.AsyncClient(trust_env=False) as prometheus:
        scrapes = [(await prometheus.get(f"{service.management_url}/metrics")).text]
        for _ in range(rounds):
            calls = []
            for kind, number in mix.items():
                owed[kind] += number
                calls += [service.client.get(PATHS[kind]) for _ in range(int(owed[kind]))]
                owed[kind] -= int(owed[kind])
            await asyncio.gather(*calls)
            scrapes.append((await prometheus.get(f"{service.management_url}/metrics")).text)
    return scrapes


def main() -> None:
    """Record as the arguments say and write JSON."""
    configure_logging("small-service", "ERROR")
    mix, rounds, target = sys.argv[1:]
    Path(target).write_text(json.dumps(asyncio.run(record(json.loads(mix), int(rounds)))))


if __name__ == "__main__":
    main()
