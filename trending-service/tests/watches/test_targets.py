"""Webhooks reach the public internet and nothing else."""

from __future__ import annotations

import socket

import pytest
from aiohttp import ClientConnectorError, web
from aiohttp.abc import AbstractResolver, ResolveResult

from castor_chassis import Invalid
from trending_service.watches.targets import check_url, is_public, session


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "192.168.0.1", "172.16.0.1", "169.254.169.254", "0.0.0.0", "100.64.0.1", "224.0.0.1",
        "::1", "fe80::1", "fc00::1", "::ffff:10.0.0.1", "64:ff9b::a00:1", "2002:a00:1::", "::",
    ],
)  # fmt: skip
def test_private_addresses_are_none(address: str) -> None:
    """Loopback, private, link-local, shared, multicast, and IPv6 forms that carry them."""
    assert not is_public(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8"])
def test_public_addresses_are_some(address: str) -> None:
    """What anybody can reach."""
    assert is_public(address)


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/", "ftp://example.com/", "https://", "https://user:pw@example.com/", "https://127.0.0.1/",
        "https://[::1]/", "https://127.1/", "https://2130706433/", "https://0x7f000001/", "https://localhost/",
        "https://db.internal/", "https://example.com:99999/", "https://[::1/",
        "https://a..example.com/", f"https://{'a' * 64}.example.com/",
    ],
)  # fmt: skip
def test_targets_that_can_never_be_are_refused(url: str) -> None:
    """No HTTPS, credentials, private addresses in any spelling."""
    with pytest.raises(Invalid):
        check_url(url, allow_private=False)


def test_a_public_target_is_taken() -> None:
    """A name is checked when it is connected to."""
    check_url("https://hooks.example.com/castor?a=1", allow_private=False)


class _Rebinding(AbstractResolver):
    """A name that leads to a private address."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        return [
            ResolveResult(
                hostname=host, host="127.0.0.1", port=port, family=family, proto=0, flags=socket.AI_NUMERICHOST
            )
        ]

    async def close(self) -> None:
        return None


async def test_a_name_that_leads_inside_is_not_connected_to(unused_tcp_port: int) -> None:
    """The address that is connected to is the one that was checked: DNS cannot say otherwise afterwards."""
    called = []

    async def handle(request: web.Request) -> web.Response:
        called.append(request.path)
        return web.Response()

    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", handle)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", unused_tcp_port).start()
    url = f"http://hooks.example.com:{unused_tcp_port}/"
    async with session(allow_private=True, timeout_seconds=5, resolver=_Rebinding()) as client:
        assert (await client.post(url)).status == 200
    async with session(allow_private=False, timeout_seconds=5, resolver=_Rebinding()) as client:
        with pytest.raises(ClientConnectorError, match="no public address"):
            await client.post(url)
    assert called == ["/"]
    await runner.cleanup()
