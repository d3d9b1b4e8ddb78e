"""Where webhooks may go: public addresses only, checked for the very address that is connected to.

A name is resolved by the connector itself, and what it resolves to is filtered, so that no second look-up can lead
elsewhere (DNS rebinding). The connector resolves no host that is an IP address already, so the address of each socket
is checked as well. Redirects are not followed.
"""

from __future__ import annotations

import ipaddress
import socket
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver
from yarl import URL

from castor_chassis import Invalid


def is_public(address: str) -> bool:
    """Tell whether an IP address is one of the public internet, also where it is wrapped in an IPv6 address."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if inner is not None:
            return is_public(str(inner))
        if ip in ipaddress.ip_network("64:ff9b::/96"):
            return is_public(str(ipaddress.IPv4Address(int(ip) & 0xFFFF_FFFF)))
    return ip.is_global and not ip.is_multicast


def check_url(url: str, *, allow_private: bool) -> None:
    """Raise ``Invalid`` for an address that can never be a target: no HTTPS, credentials, a private IP address, a
    name that DNS cannot have."""
    try:
        # As the client reads it: '１２７.０.０.１' and '①②⑦.0.0.1' are 127.0.0.1 there.
        parts = URL(url)
        host = (parts.raw_host or "").rstrip(".")
        host.encode("idna")
    except ValueError as error:
        raise Invalid(reason="'url' is no web address") from error
    if parts.scheme != "https" and not (allow_private and parts.scheme == "http"):
        raise Invalid(reason="'url' must begin with https://")
    if not host or parts.user is not None or parts.password is not None:
        raise Invalid(reason="'url' must name a host, and no user or password")
    if not allow_private and not _may_be_public(host):
        raise Invalid(reason="'url' leads to an address that is not public; use one that the internet can reach")


def _may_be_public(host: str) -> bool:
    try:
        return is_public(host)
    except ValueError:
        pass
    try:
        # What the C library takes for an address: '127.1', '0x7f000001', '2130706433'.
        return is_public(socket.inet_ntoa(socket.inet_aton(host)))
    except OSError:
        return host != "localhost" and not host.endswith((".localhost", ".local", ".internal"))


class PublicResolver(AbstractResolver):
    """Resolves names and leaves out every address that is not public; fails when none is left."""

    def __init__(self, inner: AbstractResolver | None = None) -> None:
        self._inner = inner or ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Return the public addresses of ``host``; raises ``OSError`` when it has none."""
        found = await self._inner.resolve(host, port, family)
        public = [one for one in found if is_public(one["host"])]
        if not public:
            raise OSError(None, f"{host} has no public address")
        return public

    async def close(self) -> None:
        """Close what it resolves with."""
        await self._inner.close()


def _public_socket(address: tuple[Any, ...]) -> socket.socket:
    """Return a socket for an address as ``getaddrinfo`` gives it; raises ``OSError`` for one that is not public."""
    family, kind, protocol, _, (host, *_) = address
    if not is_public(host):
        raise OSError(None, f"{host} is no public address")
    return socket.socket(family, kind, protocol)


def session(
    *, allow_private: bool, timeout_seconds: float, resolver: AbstractResolver | None = None
) -> aiohttp.ClientSession:
    """Return a client for webhooks: no cookies, no proxies, no shared connections."""
    chosen = resolver if allow_private else PublicResolver(resolver)
    connector = aiohttp.TCPConnector(
        resolver=chosen, limit=100, force_close=True, use_dns_cache=False,
        socket_factory=None if allow_private else _public_socket,
    )  # fmt: skip
    return aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=timeout_seconds),
        trust_env=False,
    )
