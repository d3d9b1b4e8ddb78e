"""Administrators who make service accounts, and the machines that use them."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx as plain_httpx
import pytest_asyncio
from authlib.integrations.httpx_client import AsyncOAuth2Client

from castor_chassis.client.transport import httpx
from castor_chassis.testing import Authority, RunningService

ACCOUNTS = "/v1/auth/service-accounts"
TOKEN = "/v1/auth/oidc/token"
ISSUER = "https://auth.castor"
SCOPES = ["tweets:read", "trends:read"]


@dataclass
class Machines:
    """An administrator, and what machines ask for."""

    auth: RunningService
    headers: dict[str, str]
    trust: ssl.SSLContext
    """Of clients behind the ingress."""

    async def ask(self, method: str, path: str = "", **more: Any) -> httpx.Response:
        """Ask as the administrator."""
        return await self.auth.client.request(method, f"{ACCOUNTS}{path}", headers=self.headers, **more)

    async def account(self, **changed: Any) -> str:
        """Make an account of the organisation and return its id."""
        made = await self.ask("POST", json={"name": "nightly export", "scopes": SCOPES, **changed})
        assert made.status_code == 201, made.text
        return str(made.json()["data"]["id"])

    async def credential(self, account: str, **body: Any) -> dict[str, Any]:
        """Add a credential."""
        made = await self.ask("POST", f"/{account}/credentials", json=body)
        assert (made.status_code, made.headers["cache-control"]) == (201, "no-store"), made.text
        found: dict[str, Any] = made.json()["data"]
        return found

    async def client(self, **changed: Any) -> dict[str, str]:
        """Make an account with a secret; return the form with which it gets tokens."""
        account = await self.account(**changed)
        secret = (await self.credential(account))["client_secret"]
        return {"grant_type": "client_credentials", "client_id": account, "client_secret": secret}

    async def token(self, form: dict[str, str], **changed: str) -> httpx.Response:
        """Ask the token endpoint."""
        return await self.auth.client.post(TOKEN, data={**form, **changed})

    async def uses(self, token: str) -> int:
        """Return the status of a read with a token."""
        bearer = {"Authorization": f"Bearer {token}"}
        return (await self.auth.client.get("/v1/auth/users", headers=bearer)).status_code

    @asynccontextmanager
    async def authlib(self, *names: str, **options: Any) -> AsyncIterator[AsyncOAuth2Client]:
        """Give Authlib's client of the token endpoint, as another team would use it."""
        endpoint = f"{self.auth.url}{TOKEN}"
        async with AsyncOAuth2Client(*names, token_endpoint=endpoint, verify=self.trust, **options) as client:
            yield client

    def plain(self) -> plain_httpx.AsyncClient:
        """Return a client that knows nothing of OAuth."""
        return plain_httpx.AsyncClient(base_url=self.auth.url, verify=self.trust)


@pytest_asyncio.fixture(loop_scope="module")
async def machines(auth: RunningService, people: Any, authority: Authority, tmp_path: Path) -> Machines:
    """The administrator of the default organisation."""
    trust = authority.write(tmp_path, "ingress").client_context()
    return Machines(auth, await people.administrator_headers(auth.client), trust)
