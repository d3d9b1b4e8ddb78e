"""``castor up --x sandbox``: the fake X beside the services, and twitter-service pointed at it."""

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
    """Let this process, and those that it starts, use ``kind`` of X; raises ``DevstackError`` for an unknown one."""
    if kind != "sandbox":
        raise DevstackError(f"There is no X called {kind!r}; use --x sandbox, or set X_BEARER_TOKEN.", exit_code=2)
    os.environ[VARIABLE] = kind


def chosen() -> bool:
    """Tell whether the sandbox is to run."""
    return os.environ.get(VARIABLE) == "sandbox"


def with_port(ports: Mapping[str, int]) -> dict[str, int]:
    """Return the ports to choose, that of the sandbox among them where it is to run."""
    taken = 0 if not any(ports.values()) else PREFERRED_PORT
    return {**ports, **({PART: taken} if chosen() else {})}


def settings(port: int) -> dict[str, str]:
    """Return the settings with which twitter-service reads the sandbox; its money is invented too."""
    budgets = {"X_DAILY_POSTS": "100000", "X_MONTHLY_POSTS": "1000000", "X_MONTHLY_USD": "5000"}
    return {"X_BEARER_TOKEN": "sandbox", "X_BASE_URL": f"http://127.0.0.1:{port}", **budgets}


def command(port: int) -> tuple[str, ...]:
    """Return the command that serves the sandbox in the foreground."""
    return (sys.executable, "-m", "castor_devstack.fake_x", "--port", str(port))
