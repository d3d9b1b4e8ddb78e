"""Fixtures of auth-service's suite: the service itself, on real PostgreSQL, Valkey and mTLS."""

from __future__ import annotations

import base64
import itertools
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

from auth_service.app import create_app
from auth_service.settings import AuthSettings
from castor_chassis.http import httpx
from castor_chassis.postgres import migrate
from castor_chassis.testing import Authority, RunningService, run_service, tls_settings

SECRET = "a key encryption secret for tests only"
PASSWORD = "cuatro caballos lentos"
ADMIN = "Admin@Castor.example"
Run = Callable[..., AbstractAsyncContextManager[RunningService]]
_numbers = itertools.count()


class People:
    """Those who use the service in a test."""

    password = PASSWORD
    administrator = ADMIN

    @staticmethod
    def email() -> str:
        """Return an address that no other test uses."""
        return f"ana{next(_numbers)}@example.com"

    async def register(self, client: httpx.AsyncClient, email: str | None = None) -> dict[str, Any]:
        """Register somebody and return the session."""
        body = {"email": email or self.email(), "password": PASSWORD}
        answer = await client.post("/v1/auth/register", json=body)
        assert answer.status_code == 201, answer.text
        session: dict[str, Any] = answer.json()["data"]
        return session

    async def headers(self, client: httpx.AsyncClient) -> dict[str, str]:
        """Register somebody and return the header that proves it."""
        session = await self.register(client)
        return {"Authorization": f"Bearer {session['tokens']['access_token']}"}

    @staticmethod
    def claims(token: str) -> dict[str, Any]:
        """Return what a token says, unverified."""
        part = token.split(".")[1]
        claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
        return claims


@pytest.fixture
def people() -> People:
    """Those who use the service in a test."""
    return People()


@pytest.fixture(scope="module")
def run_auth(postgres_url: str, redis_url: str, authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """``async with run_auth(caller="ingress", setting=value)``: a running auth-service and a client of it."""

    @asynccontextmanager
    async def run(caller: str = "ingress", migrated: bool = False, **changed: Any) -> AsyncIterator[RunningService]:
        if not migrated:
            await migrate(postgres_url, "auth_service")
        folder = tmp_path_factory.mktemp("tls")
        values: dict[str, Any] = {
            **tls_settings(authority.write(folder, "auth-service")),
            "database_url": postgres_url,
            "redis_url": redis_url,
            "key_encryption_secret": SECRET,
            "registration_role": "analyst",
            "bootstrap_admin_email": ADMIN,
            "bootstrap_admin_password": PASSWORD,
            "password_memory_kib": 1024,
            "password_passes": 1,
            "login_rate_limit": "1000/minute",
            "address_rate_limit": "1000/minute",
            "registration_rate_limit": "1000/minute",
            **changed,
        }
        settings = AuthSettings(**values)
        async with run_service(create_app(settings), settings, client_files=authority.write(folder, caller)) as service:
            yield service

    return run


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def auth(run_auth: Run) -> AsyncIterator[RunningService]:
    """auth-service, ready, reached through the ingress."""
    async with run_auth() as service:
        await service.ready()
        yield service


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def auth_for_services(run_auth: Run) -> AsyncIterator[RunningService]:
    """auth-service, ready, reached by twitter-service."""
    async with run_auth("twitter-service") as service:
        await service.ready()
        yield service


@pytest_asyncio.fixture(loop_scope="module")
async def database(postgres_url: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection of the test's own to the service's database."""
    await migrate(postgres_url, "auth_service")
    connection = await asyncpg.connect(postgres_url)
    yield connection
    await connection.close()
