"""Valkey from the wheel, asked through the Redis client that the services use."""

from __future__ import annotations

from pathlib import Path

import pytest
from redis.asyncio import Redis
from redis.exceptions import AuthenticationError
from redis.exceptions import ConnectionError as Refused

from castor_devstack.stack.ports import PortLeases
from castor_devstack.stack.valkey import EmbeddedValkey


async def test_the_url_of_a_module_starts_empty(redis_url: str) -> None:
    """The fixture's URL works with the Redis client and shows an empty database."""
    async with Redis.from_url(redis_url) as client:
        assert await client.dbsize() == 0
        assert await client.set("a", "1")


async def test_without_the_password_nothing_is_served(redis_server: EmbeddedValkey) -> None:
    """A client without the password is refused."""
    async with Redis(port=redis_server.port) as client:
        with pytest.raises(AuthenticationError):
            await client.get("a")


async def test_an_outage_ends_with_the_same_address(redis_server: EmbeddedValkey) -> None:
    """A killed Valkey refuses connections; started again it serves the same URL."""
    redis_server.kill()
    async with Redis.from_url(redis_server.url()) as client:
        with pytest.raises(Refused):
            await client.ping()
        redis_server.start()
        assert await client.ping()


async def test_data_survive_an_orderly_stop(test_ports: PortLeases, tmp_path: Path) -> None:
    """A durable server writes its snapshot at the stop and reads it at the start; others may not read the password."""
    port = test_ports.choose({"valkey": 0})["valkey"]
    server = EmbeddedValkey(tmp_path / "valkey", port=port, password="secret")
    server.start()
    try:
        async with Redis.from_url(server.url()) as client:
            await client.set("window", "kept")
        server.restart()
        async with Redis.from_url(server.url()) as client:
            assert await client.get("window") == b"kept"
    finally:
        server.stop()
    assert (server.folder / "valkey.conf").stat().st_mode & 0o077 == 0
