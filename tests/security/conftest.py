"""auth-service and a service that calls it on real mTLS ports, and a maker of forged tokens."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio
from cryptography.hazmat.primitives import serialization

from auth_service.app import create_app as create_auth
from auth_service.settings import AuthSettings
from castor_chassis.client.transport import httpx
from castor_chassis.storage.migrations import migrate
from castor_chassis.testing import Authority, RunningService, TokenIssuer, run_service, tls_settings
from castor_devstack.testing_system import System
from sentiment_service.app import create_app as create_sentiment
from sentiment_service.settings import SentimentSettings
from tests.security.forge import Forge, payload_of

PASSWORD = "cuatro caballos lentos"
STRANGER = "127.0.0.2"
"""Address that attacks at the ingress come from: what counts by address must not count for the other tests."""
TALLY = {"forgeries": 0, "attempts": 0, "accepted": 0}


@dataclass(frozen=True)
class Endpoints:
    """Where a token may be used; each method returns whether it was accepted."""

    auth: RunningService
    peer: RunningService

    async def validate(self, token: str) -> bool:
        """The validation of a user's token by auth-service."""
        answer = await self.auth.client.post("/internal/validate-token", json={"token": token})
        # Above the limit of a body the answer is 413; any other answer but 200 would be an outage.
        assert answer.status_code in (200, 413), answer.text
        return answer.status_code == 200 and answer.json()["valid"] is True

    async def account(self, token: str) -> bool:
        """A protected route of auth-service."""
        return await self._accepts(self.auth.client, "GET", "/v1/auth/me", token)

    async def scoring(self, token: str) -> bool:
        """A protected route of sentiment-service, which verifies by itself."""
        return await self._accepts(
            self.peer.client, "POST", "/v1/sentiment/analyze", token, json={"texts": ["todo bien"]}
        )

    @staticmethod
    async def _accepts(client: httpx.AsyncClient, method: str, path: str, token: str, **body: Any) -> bool:
        headers = [(b"authorization", b"Bearer " + token.encode())]
        try:
            answer = await client.request(method, path, headers=headers, **body)
        except (httpx.LocalProtocolError, httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError):
            # A header of a megabyte, or with characters that none may hold, is refused below HTTP.
            return False
        if not answer.is_success:
            assert answer.status_code in (400, 401, 431), answer.text
        return bool(answer.is_success)


@asynccontextmanager
async def running_auth(
    authority: Authority, postgres_url: str, redis_url: str, folder: Any, **changed: Any
) -> AsyncIterator[RunningService]:
    """Run auth-service, reached with the certificate of twitter-service."""
    await migrate(postgres_url, "auth_service")
    settings = AuthSettings(
        **{
            **tls_settings(authority.write(folder / "auth", "auth-service")),
            "database_url": postgres_url,
            "redis_url": redis_url,
            "development": True,
            "key_encryption_secret": "a key encryption secret for tests only",
            "registration": "open",
            "registration_role": "analyst",
            "mfa_required_roles": "none",
            "bootstrap_admin_email": "admin@castor.example",
            "bootstrap_admin_password": PASSWORD,
            "password_memory_kib": 1024,
            "password_passes": 1,
            "rate_limit": "1000000/minute",
            "log_level": "ERROR",
            **changed,
        }
    )
    caller = authority.write(folder / "caller", "twitter-service")
    async with run_service(create_auth(settings), settings, client_files=caller) as service:
        await service.ready()
        yield service


@asynccontextmanager
async def running_peer(
    authority: Authority, auth_url: str, redis_url: str | None, folder: Any, **changed: Any
) -> AsyncIterator[RunningService]:
    """Run sentiment-service, which fetches its keys from ``auth_url``; reached as twitter-service."""
    files = authority.write(folder / "peer", "sentiment-service")
    settings = SentimentSettings(
        **{
            **tls_settings(files),
            "auth_url": auth_url,
            "redis_url": redis_url,
            "rate_limit": "1000000/minute",
            "log_level": "ERROR",
            **changed,
        }
    )
    caller = authority.write(folder / "caller", "twitter-service")
    async with run_service(create_sentiment(settings), settings, client_files=caller) as service:
        await service.ready()
        yield service


async def log_in(auth: RunningService, email: str = "admin@castor.example") -> dict[str, Any]:
    """Log somebody in, the administrator by default, and return the session."""
    while True:
        answer = await auth.client.post("/v1/auth/login", json={"email": email, "password": PASSWORD})
        # The administrator is made in the background, a moment after the service is ready.
        if answer.status_code != 401:
            assert answer.status_code == 200, answer.text
            session: dict[str, Any] = answer.json()["data"]
            return session


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def endpoints(
    authority: Authority, postgres_url: str, redis_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Endpoints]:
    """Both services, ready."""
    folder = tmp_path_factory.mktemp("endpoints")
    async with running_auth(authority, postgres_url, redis_url, folder) as auth:
        async with running_peer(authority, auth.url, redis_url, folder) as peer:
            # The same client for both, because a token of one is bound to the certificate that the other sees.
            yield Endpoints(auth, RunningService(peer.url, peer.management_url, _as(auth, peer), peer.pair, peer.app))


def _as(auth: RunningService, peer: RunningService) -> httpx.AsyncClient:
    transport = auth.client._transport
    return httpx.AsyncClient(base_url=peer.url, transport=transport, trust_env=False, timeout=30)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def forge(endpoints: Endpoints, authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Forge:
    """A forge with honest tokens and the signing key of auth-service."""
    session = await log_in(endpoints.auth)
    signer = endpoints.auth.app.state.resources.signing_keys.active()
    private = serialization.load_pem_private_key(signer.private.to_pem(), None)
    user, service = session["tokens"]["access_token"], await service_token(endpoints.auth.client, "sentiment-service")
    honest = await _honest(endpoints, session, authority, tmp_path_factory)
    return Forge(private, signer.kid, payload_of(user), payload_of(service), honest)  # type: ignore[arg-type]


async def service_token(client: httpx.AsyncClient, audience: str) -> str:
    """Return a service token for ``audience``."""
    form = {"grant_type": "client_credentials", "audience": audience}
    answer = await client.post("/v1/auth/token", data=form)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["access_token"])


async def _honest(
    endpoints: Endpoints, session: dict[str, Any], authority: Authority, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, str]:
    access = session["tokens"]["access_token"]
    key = await endpoints.auth.client.post(
        "/v1/auth/api-keys",
        json={"name": "forger", "scopes": ["sentiment:analyze"]},
        headers={"Authorization": f"Bearer {access}"},
    )
    rag = authority.write(tmp_path_factory.mktemp("rag"), "rag-service")
    async with httpx.AsyncClient(base_url=endpoints.auth.url, verify=rag.client_context(), trust_env=False) as other:
        other_caller = await service_token(other, "openai-service")
    ended = await log_in(endpoints.auth)
    body = {"refresh_token": ended["tokens"]["refresh_token"]}
    assert (await endpoints.auth.client.post("/v1/auth/logout", json=body)).status_code == 200
    dead = ended["tokens"]["access_token"]
    while await endpoints.scoring(dead):  # the peer learns of it a moment later; how soon is test_revocation's matter
        await asyncio.sleep(0.05)
    stranger = TokenIssuer()
    return {
        "refresh": session["tokens"]["refresh_token"],
        "api_key": key.json()["data"]["key"],
        "other_service": other_caller,
        "other_caller": other_caller,
        "logged_out": dead,
        "other_issuer": stranger.sign({**payload_of(access)}),
    }


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print how many forgeries were tried, and how many were accepted."""
    if TALLY["attempts"]:
        terminalreporter.write_line(
            "{forgeries} forged tokens, {attempts} attempts, {accepted} accepted".format(**TALLY)
        )


@pytest.fixture
def tally() -> dict[str, int]:
    """The counts so far."""
    return TALLY


@pytest.fixture(scope="module")
def trusted(system: System) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(system.home / "pki" / "ca.pem"))


@contextmanager
def ingress_client(system: System, trusted: ssl.SSLContext, address: str) -> Iterator[httpx.Client]:
    """Connect to the ingress of the running system from an address of this machine."""
    port = int(system.status()["ingress"].rsplit(":", 1)[1])
    transport = httpx.HTTPTransport(verify=trusted, local_address=address)
    # By number: the name may lead to ::1, which cannot be reached from the address of the attacks.
    with httpx.Client(base_url=f"https://127.0.0.1:{port}", transport=transport, timeout=30) as client:
        yield client


@pytest.fixture(scope="module")
def stranger(system: System, trusted: ssl.SSLContext) -> Iterator[httpx.Client]:
    with ingress_client(system, trusted, STRANGER) as client:
        yield client


@pytest.fixture(scope="module")
def honest(system: System, trusted: ssl.SSLContext) -> Iterator[httpx.Client]:
    with ingress_client(system, trusted, "127.0.0.1") as client:
        client.headers["Authorization"] = f"Bearer {system.castor('token').stdout.strip()}"
        yield client
