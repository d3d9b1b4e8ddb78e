"""Fixtures of auth-service's suite: the service itself, on real PostgreSQL, Valkey and mTLS."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

from auth_service.app import create_app
from auth_service.settings import AuthSettings
from castor_chassis.storage.migrations import migrate
from castor_chassis.testing import Authority, RunningService, run_service, tls_settings
from castor_devstack.stack.ports import PortLeases

from .mailbox import Mailbox
from .people import ADMIN, PASSWORD, People, Person

SECRET = "a key encryption secret for tests only"
Run = Callable[..., AbstractAsyncContextManager[RunningService]]


@pytest.fixture(scope="module")
def mailbox(test_ports: PortLeases) -> Iterator[Mailbox]:
    """A mail server."""
    box = Mailbox(test_ports.choose({"smtp": 0})["smtp"])
    box.controller.start()
    yield box
    box.controller.stop()


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
            "development": True,
            "registration": "open",
            "registration_role": "analyst",
            "mfa_required_roles": "none",
            "bootstrap_admin_email": ADMIN,
            "bootstrap_admin_password": PASSWORD,
            "password_memory_kib": 1024,
            "password_passes": 1,
            "throttle_free_attempts": 1000,
            "throttle_free_attempts_per_address": 1000,
            "recovery_rate_limit": "1000/minute",
            "address_rate_limit": "1000/minute",
            "registration_rate_limit": "1000/minute",
            "failed_authentications": "1000/minute",
            "max_open_bodies_per_address": 512,
            **changed,
        }
        settings = AuthSettings(**values)
        async with run_service(create_app(settings), settings, client_files=authority.write(folder, caller)) as service:
            yield service

    return run


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def auth(run_auth: Run, mailbox: Mailbox) -> AsyncIterator[RunningService]:
    """auth-service, ready, reached through the ingress."""
    # The mail server of ``mailing``: replicas share one database, and any of them may send.
    async with run_auth(notifier="smtp", smtp_url=mailbox.url) as service:
        await service.ready()
        yield service


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def mailing(run_auth: Run, mailbox: Mailbox) -> AsyncIterator[RunningService]:
    """auth-service as in production: addresses are proved, and messages go through a mail server."""
    async with run_auth(registration="verified", notifier="smtp", smtp_url=mailbox.url) as service:
        await service.ready()
        yield service


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def auth_for_services(run_auth: Run) -> AsyncIterator[RunningService]:
    """auth-service, ready, reached by twitter-service."""
    async with run_auth("twitter-service", account_readers="twitter-service") as service:
        await service.ready()
        yield service


@pytest_asyncio.fixture(loop_scope="module")
async def database(postgres_url: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection of the test's own to the service's database."""
    await migrate(postgres_url, "auth_service")
    connection = await asyncpg.connect(postgres_url)
    yield connection
    await connection.close()


@pytest_asyncio.fixture(loop_scope="module")
async def person(mailing: RunningService, mailbox: Any, people: Any) -> Person:
    """Somebody who registered."""
    email = people.email()
    await mailing.client.post("/v1/auth/register", json={"email": email, "password": people.password})
    body = {"token": await mailbox.token(email), "password": people.password}
    answer = await mailing.client.post("/v1/auth/register/confirm", json=body)
    return Person(mailing.client, email, answer.json()["data"])
