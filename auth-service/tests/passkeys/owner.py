"""Somebody with an account and an authenticator in software."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from castor_chassis.client.transport import httpx
from castor_chassis.testing import RunningService

from .authenticator import Authenticator

ORIGIN = "https://auth.castor"


@dataclass
class Owner:
    """Somebody with a session, and an authenticator."""

    client: httpx.AsyncClient
    email: str
    password: str
    access_token: str
    device: Authenticator

    async def ask(self, method: str, path: str, **body: Any) -> httpx.Response:
        """Ask with the access token."""
        headers = {"Authorization": f"Bearer {self.access_token}"}
        return await self.client.request(method, f"/v1/auth{path}", json=body or None, headers=headers)

    async def options(self) -> dict[str, Any]:
        """Ask for a new passkey."""
        asked = await self.ask("POST", "/me/passkey-options", password=self.password)
        assert asked.status_code == 200, asked.text
        found: dict[str, Any] = asked.json()["data"]
        return found

    async def add(self, name: str = "Teléfono") -> httpx.Response:
        """Register the authenticator's passkey."""
        asked = await self.options()
        credential = self.device.create(asked["options"])
        return await self.ask("POST", "/me/passkeys", token=asked["token"], name=name, credential=credential)

    async def answer(self) -> dict[str, Any]:
        """Return the body of a login or a step-up."""
        asked = (await self.client.post("/v1/auth/login/passkey/options")).json()["data"]
        return {"token": asked["token"], "credential": self.device.get(asked["options"])}

    async def log_in(self, body: dict[str, Any] | None = None) -> httpx.Response:
        """Log in with the passkey."""
        return await self.client.post("/v1/auth/login/passkey", json=body or await self.answer())


async def somebody(auth: RunningService, people: Any) -> Owner:
    """Return somebody who has an account and no passkey yet."""
    email = people.email()
    session = await people.register(auth.client, email)
    return Owner(auth.client, email, people.password, session["tokens"]["access_token"], Authenticator(ORIGIN))
