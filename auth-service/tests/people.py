"""Those who use the service in a test."""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
import time
from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg

from auth_service.mfa.totp import STEP_SECONDS, code_at
from castor_chassis.client.transport import httpx

PASSWORD = "cuatro caballos lentos"
ADMIN = "Admin@Castor.example"
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

    async def end_unheard(self, database: asyncpg.Connection, access_token: str) -> None:
        """End a session without a row in ``revocations``: what a replica finds that has not read it yet."""
        sql = "UPDATE refresh_families SET ended_at = now(), end_reason = 'ended' WHERE id = $1::uuid"
        await database.execute(sql, self.claims(access_token)["sid"])


class Person:
    """Somebody with an account and a session."""

    def __init__(self, client: httpx.AsyncClient, email: str, session: dict[str, Any]) -> None:
        self.client = client
        self.email = email
        self.id = session["user"]["id"]
        self.tokens = session["tokens"]

    async def post(self, path: str, **body: Any) -> httpx.Response:
        """Ask with the access token."""
        headers = {"Authorization": f"Bearer {self.tokens['access_token']}"}
        return await self.client.post(f"/v1/auth{path}", json=body, headers=headers)

    async def log_in(self, password: str, email: str | None = None) -> httpx.Response:
        """Log in anew."""
        return await self.client.post("/v1/auth/login", json={"email": email or self.email, "password": password})

    async def refresh(self) -> int:
        """Refresh the session and return the status."""
        body = {"refresh_token": self.tokens["refresh_token"]}
        return (await self.client.post("/v1/auth/refresh", json=body)).status_code


async def confirm_with_earlier_code(key: bytes, confirm: Callable[[str], Awaitable[httpx.Response]]) -> httpx.Response:
    """Confirm a second factor with the code of the step before, so that the present one is left for the test.

    A code that became too old on its way is followed by the next one.
    """
    while True:
        step = int(time.time()) // STEP_SECONDS
        answer = await confirm(code_at(key, step - 1))
        if answer.status_code != 403 or int(time.time()) // STEP_SECONDS == step:
            return answer
