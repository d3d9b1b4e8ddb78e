"""``castor up --x sandbox``: a fake X API beside the services, used by twitter-service."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping

from castor_devstack.errors import DevstackError

VARIABLE = "CASTOR_X"
"""How the choice reaches the supervisor, which may be a process of its own."""
PART = "x"
STATISTICS = "/_fake/statistics"
PREFERRED_PORT = 8590


def choose(kind: str) -> None:
    """Record the choice in the environment for the supervisor; raises ``DevstackError`` for an unknown ``kind``."""
    if kind != "sandbox":
        raise DevstackError(f"There is no X called {kind!r}; use --x sandbox, or set X_BEARER_TOKEN.", exit_code=2)
    os.environ[VARIABLE] = kind


def chosen() -> bool:
    """Return whether the sandbox was chosen."""
    return os.environ.get(VARIABLE) == "sandbox"


def with_port(ports: Mapping[str, int]) -> dict[str, int]:
    """Return the preferred ports, with that of the sandbox if it was chosen."""
    taken = 0 if not any(ports.values()) else PREFERRED_PORT
    return {**ports, **({PART: taken} if chosen() else {})}


def settings(port: int) -> dict[str, str]:
    """Return the settings of twitter-service for the sandbox, with budgets large enough to try it."""
    budgets = {"X_DAILY_POSTS": "100000", "X_MONTHLY_POSTS": "1000000", "X_MONTHLY_USD": "5000"}
    return {"X_BEARER_TOKEN": "sandbox", "X_BASE_URL": f"http://127.0.0.1:{port}", **budgets}


def command(port: int) -> tuple[str, ...]:
    """Return the command that serves the sandbox in the foreground."""
    return (sys.executable, "-m", "castor_devstack.fake_x", "--port", str(port))
