"""CPU per request of the chassis, against bare FastAPI and against its packages put together by their READMEs.

    python -m bench chassis [--against PATH_OF_ANOTHER_CHECKOUT] [--routes NUMBER]

The same endpoint (three nested models in and out) is called in process, so that sockets and the client do not count.
Every contestant is a process of its own and they take turns; compared are the medians of the CPU time that each used
per request, so that other work on the machine counts as little as possible. The chassis does: correlation, deadline,
load shedding, body limit, verification of the token, scope check, metrics and the access log. "By READMEs" is FastAPI
with both instrumentors by default, a ``BaseHTTPMiddleware`` for request ids, JSON lines by the standard library's
logging, and an RS256 verification of every request's token by python-jose. It records every trace, as is its default;
the chassis makes no spans where it exports none, and otherwise records 1 % of the traces that begin at it ("own
sampling"), or what its caller decided, here 1 % as well ("caller's sampling").
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bench.chassis.apps import AUDIENCE, CALLER
from castor_chassis.testing import TokenIssuer

ROUNDS, WARM_UP = 60, 3
ROOT = Path(__file__).parents[2]


class Contestant:
    """The process of one app; ``batch`` has it answer one batch."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.samples: list[float] = []

    def batch(self) -> float:
        """Return the microseconds of CPU per request of one batch."""
        return float(self.ask("\n"))

    def ask(self, line: str) -> str:
        """Write ``line`` and return the answer."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(line)
        self._process.stdin.flush()
        return self._process.stdout.readline()


@contextmanager
def contestant(app: str, checkout: Path, routes: int, key_and_token: str) -> Iterator[Contestant]:
    """Run ``app`` with the chassis of ``checkout`` and ``routes`` routes."""
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.chassis.apps", app, str(routes - 1)], cwd=ROOT, text=True,
        env={**os.environ, "PYTHONPATH": str(checkout / "chassis")}, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    with process:
        assert process.stdin is not None
        process.stdin.write(key_and_token)
        yield Contestant(process)
        process.stdin.close()


def measure(apps: dict[str, tuple[str, Path]], routes: int) -> dict[str, float]:
    """Return the median microseconds of CPU per request of each, from one run."""
    issuer = TokenIssuer()
    claims = issuer.service_claims(CALLER, AUDIENCE, ["bench:read"], "thumb") | {"exp": int(time.time()) + 3600}
    key_and_token = f"{json.dumps(issuer.public_pem)}\n{issuer.sign(claims)}\n"
    with ExitStack() as stack:
        running = {
            name: stack.enter_context(contestant(app, checkout, routes, key_and_token))
            for name, (app, checkout) in apps.items()
        }
        for turn in range(WARM_UP + ROUNDS):
            # In an order of its own each turn, so that none is always measured after the one that fills the caches.
            for one in random.Random(turn).sample(list(running.values()), len(running)):
                sample = one.batch()
                if turn >= WARM_UP:
                    one.samples.append(sample)
    return {name: statistics.median(one.samples) for name, one in running.items()}


def contestants(against: Path | None) -> dict[str, tuple[str, Path]]:
    """Return the app and the checkout of every row of the table."""
    ours = {
        "bare FastAPI": ("bare", ROOT),
        "by READMEs": ("readmes", ROOT),
        "chassis, no spans": ("chassis", ROOT),
        "chassis, own sampling": ("traced", ROOT),
        "chassis, caller's sampling": ("traced-upstream", ROOT),
    }
    if against is None:
        return ours
    theirs = {
        "other, no spans": ("chassis", against),
        "other, own sampling": ("traced", against),
        "other, caller's sampling": ("traced-upstream", against),
    }
    return {**ours, **theirs}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="bench chassis")
    parser.add_argument("--against", type=Path, help="another checkout, whose chassis is measured beside this one")
    parser.add_argument("--routes", type=int, default=1, help="routes of the app; the one that is asked is the last")
    given = parser.parse_args()
    result = measure(contestants(given.against and given.against.resolve()), given.routes)
    bare, readmes, other = result["bare FastAPI"], result["by READMEs"], result.get("other, no spans")
    print(f"{'':28}{'CPU us':>8}{'x bare':>9}{'x READMEs':>11}" + (f"{'x other':>9}" if other else ""))
    for name, value in result.items():
        row = f"{name:28}{value:8.0f}{value / bare:9.2f}{value / readmes:11.2f}"
        print(row + (f"{value / other:9.2f}" if other else ""))


if __name__ == "__main__":
    main()
