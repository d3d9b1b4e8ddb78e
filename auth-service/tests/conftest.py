"""Fixtures of auth-service's suite: the service itself, on real PostgreSQL, Valkey and mTLS."""

from __future__ import annotations

import asyncio
import base64
import email
import email.policy
import itertools
import json
import re
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from email.message import EmailMessage
from typing import Any

import asyncpg
import pytest
import pytest_asyncio
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from auth_service.app import create_app
from auth_service.settings import AuthSettings
from castor_chassis.client.transport import httpx
from castor_chassis.storage.migrations import migrate
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

    async def administrator_headers(self, client: httpx.AsyncClient) -> dict[str, str]:
        """Log the bootstrap administrator in, once it exists."""
        for _ in range(500):
            answer = await client.post("/v1/auth/login", json={"email": ADMIN, "password": PASSWORD})
            if answer.status_code == 200:
                return {"Authorization": f"Bearer {answer.json()['data']['tokens']['access_token']}"}
            await asyncio.sleep(0.05)
        raise AssertionError(answer.text)

    @staticmethod
    def claims(token: str) -> dict[str, Any]:
        """Return what a token says, unverified."""
        part = token.split(".")[1]
        claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
        return claims


class Mailbox:
    """A mail server on the loopback that keeps what it is sent; ``refuses`` makes it fail."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.refuses = False
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        self.url = f"smtp://127.0.0.1:{self.port}"
        self.controller = Controller(self, hostname="127.0.0.1", port=self.port)

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Take a mail, or refuse it for now."""
        if self.refuses:
            return "451 not now"
        mail = email.message_from_bytes(envelope.original_content or b"", policy=email.policy.default)
        assert isinstance(mail, EmailMessage)
        self.mails.append(mail)
        return "250 taken"

    def to(self, address: str) -> list[EmailMessage]:
        """Return what was sent to an address."""
        return [mail for mail in self.mails if mail["To"] == address]

    async def next(self, address: str, number: int = 1) -> EmailMessage:
        """Wait for the ``number``th mail to an address."""
        for _ in range(1000):
            if len(self.to(address)) >= number:
                return self.to(address)[number - 1]
            await asyncio.sleep(0.02)
        raise AssertionError(f"no mail number {number} to {address}; there are {[m['To'] for m in self.mails]}")

    async def token(self, address: str, number: int = 1) -> str:
        """Wait for the ``number``th mail to an address and return the token in it."""
        found = re.search(r"^([A-Za-z0-9_-]{43})\r?$", (await self.next(address, number)).get_content(), re.MULTILINE)
        assert found is not None
        return found[1]


@pytest.fixture(scope="module")
def mailbox() -> Iterator[Mailbox]:
    """A mail server."""
    box = Mailbox()
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
