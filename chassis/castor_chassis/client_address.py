"""Where a request comes from, as far as it can be believed."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

_Network = ipaddress.IPv4Network | ipaddress.IPv6Network
TrustedProxies = tuple[_Network, ...]
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_SITE_BITS = 64
"""One customer of an IPv6 provider has at least so many bits of addresses, which count as one."""


def networks(text: str) -> TrustedProxies:
    """Return the networks of a space separated list such as ``10.0.0.0/8 2001:db8::/32``; raises ``ValueError``."""
    return tuple(ipaddress.ip_network(each) for each in text.split())


def originator(forwarded: Iterable[str], trusted: TrustedProxies) -> str | None:
    """Return the last address of ``X-Forwarded-For`` that is not of a ``trusted`` proxy; None when there is none.

    ``forwarded`` are the header's lines. Every proxy appends the address that it was called from, so what stands before
    the last untrusted entry was written by the caller, and proves nothing. An IPv6 address is returned as its /64.
    """
    client = None
    for entry in reversed(",".join(forwarded).split(",")):
        address = _parsed(entry.strip())
        if address is None:
            break
        client = address
        if not any(address in network for network in trusted):
            break
    return None if client is None else limited_as(client)


def limited_as(address: _Address | str) -> str:
    """Return what an address counts as in limits: itself, or the /64 of an IPv6 address; other text stays as it is."""
    found = _parsed(address) if isinstance(address, str) else address
    if found is None:
        return str(address)
    if isinstance(found, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((int(found), _SITE_BITS), strict=False))
    return str(found)


def _parsed(entry: str) -> _Address | None:
    """Return the address of an entry, which some proxies write with its port; None for anything else."""
    host = entry.removeprefix("[").partition("]")[0] if entry.startswith("[") else entry
    if host.count(":") == 1:
        host = host.partition(":")[0]
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
