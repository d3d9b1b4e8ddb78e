"""Whose request it is: proxies that are trusted, and nothing that a caller writes."""

from __future__ import annotations

import pytest

from castor_chassis.client_address import limited_as, networks, originator

TRUSTED = networks("10.0.0.0/8 2001:db8:ffff::/48")


@pytest.mark.parametrize(
    ("lines", "client"),
    [
        (["203.0.113.7"], "203.0.113.7"),
        (["1.1.1.1, 203.0.113.7"], "203.0.113.7"),
        (["203.0.113.7, 10.1.2.3"], "203.0.113.7"),
        (["1.1.1.1, 203.0.113.7, 10.1.2.3, 10.9.9.9"], "203.0.113.7"),
        (["1.1.1.1", "203.0.113.7"], "203.0.113.7"),
        (["203.0.113.7, 2001:db8:ffff::1"], "203.0.113.7"),
        (["10.1.2.3"], "10.1.2.3"),
        (["203.0.113.7:50123"], "203.0.113.7"),
        (["[2001:db8:1:2:3::4]:50123"], "2001:db8:1:2::/64"),
        (["::ffff:203.0.113.7"], "203.0.113.7"),
        (["1.1.1.1, no address, 10.1.2.3"], "10.1.2.3"),
        (["no address"], None),
        ([""], None),
        ([], None),
    ],
)
def test_the_last_address_that_no_trusted_proxy_has_counts(lines: list[str], client: str | None) -> None:
    """What stands before it was written by the caller; several lines are one list; ports are left out."""
    assert originator(lines, TRUSTED) == client


def test_addresses_of_one_site_are_one() -> None:
    """IPv6 addresses of a /64 count as one, those of another do not; IPv4 addresses count each."""
    assert limited_as("2001:db8:1:2::1") == limited_as("2001:db8:1:2:ffff::9") != limited_as("2001:db8:1:3::1")
    assert limited_as("203.0.113.7") != limited_as("203.0.113.8")
