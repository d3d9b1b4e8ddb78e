"""Webhooks reach the public internet and nothing else."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator

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
        "https://a..example.com/", f"https://{'a' * 64}.example.com/", "https://１２７.０.０.１/", "https://10．0．0．1/",
        "https://169。254。169。254/", "https://①②⑦.0.0.1/", "https://127.0.0.1./", "https://localhost./",
        "https://db.internal./", "https://ｌocalhost/", "https://db.ｉnternal/", "https://./", "https://[fe80::1%25lo]/",
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


@pytest.fixture
async def port() -> AsyncIterator[int]:
    """The port of a server on the loopback address that answers everything."""

    async def handle(_request: web.Request) -> web.Response:
        return web.Response()

    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", handle)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield int(runner.addresses[0][1])
    await runner.cleanup()


@pytest.mark.parametrize("host", ["hooks.example.com", "127.0.0.1", "１２７.０.０.１", "[::ffff:127.0.0.1]"])
async def test_what_leads_inside_is_not_connected_to(port: int, host: str) -> None:
    """The address that is connected to is the one that was checked: of a name, whatever DNS says, and of none."""
    url = f"http://{host}:{port}/"
    async with session(allow_private=True, timeout_seconds=30, resolver=_Rebinding()) as client:
        assert (await client.post(url)).status == 200
    async with session(allow_private=False, timeout_seconds=30, resolver=_Rebinding()) as client:
        with pytest.raises(ClientConnectorError, match="no public address"):
            await client.post(url)
