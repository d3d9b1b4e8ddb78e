"""Fixtures that every suite of this repository may use."""

from __future__ import annotations

import os
from collections.abc import Generator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from castor_chassis.testing import Authority, TokenIssuer

pytest_plugins = ["castor_devstack.testing"]


# A wrapper, because pytest-xdist reads the groups in a hook of its own that runs before those of a conftest.
@pytest.hookimpl(wrapper=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> Generator[None]:
    """Say which tests must run in the same process, and begin with the longest group.

    A module shares its database, and the tests of the whole system share the system; everything else may run at the
    same time. Used by ``--dist loadgroup``; without parallel processes the order alone changes.
    """
    for item in items:
        if item.get_closest_marker("xdist_group") is None:
            item.add_marker(pytest.mark.xdist_group(_group(item)))
    items.sort(key=lambda item: not _uses_system(item))
    return (yield)


def pytest_xdist_auto_num_workers() -> int:
    """Return the number of processes of ``-n auto``: two a processor, since tests mostly wait for servers."""
    return 2 * len(os.sched_getaffinity(0))


def _group(item: pytest.Item) -> str:
    return "system" if _uses_system(item) else item.nodeid.split("::")[0]


def _uses_system(item: pytest.Item) -> bool:
    return "system" in getattr(item, "fixturenames", ())


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
