"""A provider whose issuer is its own address, and a frontend that is registered with it."""

from __future__ import annotations

import base64
import ssl
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx as plain_httpx
import pytest
import pytest_asyncio
from authlib.integrations.httpx_client import AsyncOAuth2Client
from joserfc import jwk

from castor_chassis.client.transport import httpx
from castor_chassis.testing import Authority, RunningService
from castor_devstack.stack.ports import PortLeases

from ..people import confirm_with_earlier_code
from .frontend import AFTER_LOGOUT, CALLBACK, SCOPE, Browser, Frontend


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def provider(run_auth: Any, test_ports: PortLeases) -> AsyncIterator[RunningService]:
    """auth-service at the address that it calls its issuer."""
    port = test_ports.choose({"api": 0})["api"]
    changed = {"api_port": port, "auth_issuer": f"https://127.0.0.1:{port}"}
    async with run_auth(console_redirect_uris=CALLBACK, **changed) as service:
        await service.ready()
        yield service


@pytest.fixture(scope="module")
def trust(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    """The TLS context of clients behind the ingress."""
    return authority.write(tmp_path_factory.mktemp("frontend"), "ingress").client_context()


@pytest_asyncio.fixture(loop_scope="module")
async def new_frontend(
    provider: RunningService, people: Any, trust: ssl.SSLContext
) -> AsyncIterator[Callable[..., Any]]:
    """``await new_frontend(scope=...)``: a frontend that an administrator registered, discovered by its metadata."""
    administrator = await people.administrator_headers(provider.client)
    opened: list[AsyncOAuth2Client] = []

    async def new(scope: str = SCOPE) -> Frontend:
        registration = {
            "name": "Tablero <b>",
            "redirect_uris": [CALLBACK],
            "post_logout_redirect_uris": [AFTER_LOGOUT],
            "scopes": ["tweets:read", "account:manage"],
        }
        made = await provider.client.post("/v1/auth/oidc/clients", json=registration, headers=administrator)
        assert made.status_code == 201, made.text
        oauth = AsyncOAuth2Client(
            made.json()["data"]["id"],
            token_endpoint_auth_method="none",
            redirect_uri=CALLBACK,
            scope=scope,
            code_challenge_method="S256",
            verify=trust,
        )
        opened.append(oauth)
        async with plain_httpx.AsyncClient(verify=trust) as client:
            metadata = (await client.get(f"{provider.url}/.well-known/openid-configuration")).json()
            keys = (await client.get(metadata["jwks_uri"])).json()
        assert metadata["issuer"] == provider.url
        return Frontend(oauth, metadata, jwk.KeySet.import_key_set(keys))

    yield new
    for oauth in opened:
        await oauth.aclose()


@pytest_asyncio.fixture(loop_scope="module")
async def frontend(new_frontend: Callable[..., Any]) -> Frontend:
    """A frontend that asks for ``SCOPE``."""
    made: Frontend = await new_frontend()
    return made


@pytest.fixture
def enrolled(people: Any) -> Callable[..., Any]:
    """``await enrolled(client)``: the address and the TOTP key of somebody with a second factor."""

    async def enrol(client: httpx.AsyncClient) -> tuple[str, bytes]:
        email = people.email()
        bearer = {"Authorization": f"Bearer {(await people.register(client, email))['tokens']['access_token']}"}
        path = "/v1/auth/me/mfa/totp"
        made = await client.post(path, json={"password": people.password}, headers=bearer)
        key = base64.b32decode(made.json()["data"]["secret"])
        confirmed = await confirm_with_earlier_code(
            key, lambda code: client.post(f"{path}/confirm", json={"code": code}, headers=bearer)
        )
        assert confirmed.status_code == 200, confirmed.text
        return email, key

    return enrol


@pytest.fixture
def browser(provider: RunningService) -> Browser:
    """A browser without cookies."""
    return Browser(provider.client)
