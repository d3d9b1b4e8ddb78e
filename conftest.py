"""Fixtures that every suite of this repository may use."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest
import structlog
from hypothesis import HealthCheck, settings
from xdist.scheduler import LoadScopeScheduling

if TYPE_CHECKING:
    from castor_chassis.testing import Authority, TokenIssuer

pytest_plugins = ["castor_devstack.testing"]

# Examples are the same in each run, and none fails because the machine is busy.
settings.register_profile("castor", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("castor")

# Without ``configure_logging`` a log shows the local variables of every frame: seconds for each exception.
_PLAIN = structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
structlog.configure(processors=[*structlog.get_config()["processors"][:-1], _PLAIN])


LONGEST = ("tests/e2e/", "tests/contract/test_conformance.py", "devstack/tests/", "openai-service/", "auth-service/")


# The modules outside of tests/e2e that ask for the fixture ``system``; tests/ci holds that these are all.
SHARING_A_SYSTEM = (
    "tests/contract/test_conformance.py", "tests/contract/test_calendar.py", "tests/observability/test_metrics.py",
    "tests/security/test_strangers_at_the_ingress.py", "tests/security/test_users_at_the_ingress.py",
)  # fmt: skip


class ModuleScheduling(LoadScopeScheduling):
    """Sends the tests of a module to one process, and those that share a running system too, so that only two start.

    All of ``tests/e2e`` share one, and all others that need a system share the other.

    ``--dist loadgroup`` would do, but pytest-xdist 3.8 writes the groups to an attribute that pytest 9.2 no longer has.
    """

    def _split_scope(self, nodeid: str) -> str:
        module = nodeid.split("::")[0]
        if module in SHARING_A_SYSTEM:
            return "system"
        return "tests/e2e" if module.startswith("tests/e2e/") else module


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    """Return what decides which process runs which tests."""
    return ModuleScheduling(config, log)


def pytest_xdist_auto_num_workers() -> int:
    """Return the number of processes of ``-n auto``: one more than processors, since tests wait for servers."""
    return len(os.sched_getaffinity(0)) + 1


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the suites that take longest, so that no process is left alone with one of them at the end."""
    order = {prefix: place for place, prefix in enumerate(LONGEST)}
    items.sort(key=lambda item: next((order[p] for p in LONGEST if item.nodeid.startswith(p)), len(LONGEST)))


@pytest.fixture(scope="session")
def authority() -> Authority:
    """A certificate authority in memory; ``authority.write(folder, service)`` issues a leaf."""
    # Imported late: the chassis takes a second to import, and not every suite needs it.
    from castor_chassis.testing import Authority

    return Authority.create()


@pytest.fixture(scope="session")
def issuer() -> TokenIssuer:
    """Signs tokens as auth-service does, and is the key source that verifies them."""
    from castor_chassis.testing import TokenIssuer

    return TokenIssuer()
