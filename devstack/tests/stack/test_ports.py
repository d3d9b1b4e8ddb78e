"""Ports: the preferred one where it is free, never one of a second devstack."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from castor_devstack.stack.ports import PortLeases, is_free


@pytest.fixture
def leases() -> Iterator[PortLeases]:
    """Leases that end with the test."""
    leases = PortLeases()
    yield leases
    leases.release()


def test_a_checkout_keeps_its_ports() -> None:
    """The same owner gets the same free ports each time, another owner others."""
    chosen = []
    for owner in ("/a/.castor", "/a/.castor", "/b/.castor"):
        leases = PortLeases(owner)
        chosen.append(leases.choose({"api": 0, "management": 0}))
        leases.release()
    assert chosen[0] == chosen[1] != chosen[2]


def test_a_taken_port_is_replaced(leases: PortLeases) -> None:
    """A port that another program serves, on IPv4 or on all addresses, is not chosen."""
    for address in ("127.0.0.1", "0.0.0.0"):
        with socket.create_server((address, 0)) as other:
            taken = other.getsockname()[1]
            chosen = leases.choose({"api": taken})["api"]
            assert chosen != taken
            assert is_free(chosen)


def test_a_free_port_is_taken_as_wished(leases: PortLeases) -> None:
    """The preferred port is chosen when it is free, also right after a connection on it was closed."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)):
            server.accept()[0].close()
    assert leases.choose({"api": port}) == {"api": port}


def test_two_devstacks_never_choose_the_same_port(leases: PortLeases) -> None:
    """A port that one has chosen but not bound yet is not chosen by another; after its release it is."""
    others = PortLeases()
    port = leases.choose({"api": 0})["api"]
    assert others.choose({"api": port})["api"] != port
    leases.release()
    assert others.choose({"again": port})["again"] == port
    others.release()
