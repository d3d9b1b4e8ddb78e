"""Seven services and eight edges, the same in every file that names them."""

from __future__ import annotations

import agreement
import pytest
from chart_tools import NAMES
from tilt import run_tiltfile

SOURCES = {
    "the grants of auth-service": agreement.in_grants,
    "the clients in the code": agreement.in_clients,
    "the settings in the code": agreement.in_settings,
    "the devstack": agreement.in_devstack,
    "compose": agreement.in_compose,
}


@pytest.mark.parametrize("source", SOURCES)
def test_the_edges_are_the_charts(source: str) -> None:
    """Whoever may call whom is told in the charts' peers, and nowhere otherwise."""
    assert SOURCES[source]() == agreement.in_charts()


def test_the_edges_of_the_tiltfile_are_the_charts() -> None:
    """The Tiltfile waits for the peers that the charts name."""
    needs = run_tiltfile().needs()
    assert {name: needs[name] & set(NAMES) for name in NAMES} == agreement.in_charts()


def test_no_circle() -> None:
    """Calls run one way: there is an order in which each service comes after those that it calls."""
    left = agreement.in_charts()
    while free := {name for name, peers in left.items() if not peers & set(left)}:
        left = {name: peers for name, peers in left.items() if name not in free}
    assert left == {}


@pytest.mark.parametrize("part", agreement.names())
def test_every_part_knows_the_same_services(part: str) -> None:
    """Workspace, lock, contracts, charts, compose, scraping and ingress name the same seven."""
    assert agreement.names()[part] == set(NAMES)
    assert len(NAMES) == 7
