"""Whatever is sent as a proof, wrong ones are limited by address before the next is verified."""

from __future__ import annotations

import re
import secrets
from typing import Any

import pytest

from castor_chassis.client.transport import httpx
from castor_chassis.testing import RunningService

pytestmark = pytest.mark.asyncio(loop_scope="module")

KEY = f"castor_{secrets.token_hex(8)}_{secrets.token_urlsafe(32)}"
PROOFS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "password": ("POST", "/v1/auth/login", {"email": "nobody@example.com", "password": "not the password"}),
    "refresh token": ("POST", "/v1/auth/refresh", {"refresh_token": "x" * 43}),
    "registration": ("POST", "/v1/auth/register/confirm", {"token": "x" * 43, "password": "not the password"}),
    "password reset": ("POST", "/v1/auth/password/reset", {"token": "x" * 43, "new_password": "cinco caballos lentos"}),
    "change of address": ("POST", "/v1/auth/email/confirm", {"token": "x" * 43}),
    "second step": ("POST", "/v1/auth/login/mfa", {"mfa_token": "x" * 43, "code": "123456"}),
    "passkey": ("POST", "/v1/auth/login/passkey", {"token": "x" * 43, "credential": {}}),
    "API key": ("GET", "/v1/auth/me", {"Authorization": f"Bearer {KEY}"}),
    "access token": ("GET", "/v1/auth/me", {"Authorization": "Bearer a.b.c"}),
}


async def _send(client: httpx.AsyncClient, proof: str, address: str) -> int:
    method, path, content = PROOFS[proof]
    headers = {"X-Forwarded-For": address}
    if method == "GET":
        return (await client.get(path, headers={**headers, **content})).status_code
    return (await client.post(path, json=content, headers=headers)).status_code


async def test_every_kind_of_proof_is_limited_by_address(run_auth: Any) -> None:
    """Three wrong ones of a /64, of whatever kind, and every further one of it is refused; other sites are served."""
    async with run_auth(failed_authentications="3/minute", registration="verified") as auth:
        await auth.ready()
        for number, proof in enumerate(PROOFS):
            site = f"2001:db8:0:{number + 1}::"
            assert [await _send(auth.client, proof, f"{site}{n}") for n in range(1, 5)] == [401, 401, 401, 429], proof
            assert {await _send(auth.client, other, f"{site}9") for other in PROOFS} == {429}


CALLBACK = "http://localhost:3000/callback"


class LoginPage:
    """The login page of the console, in a browser at one address."""

    def __init__(self, service: RunningService, address: str) -> None:
        self._client, self._forwarded = service.client, {"X-Forwarded-For": address}
        self._fields: dict[str, str] = {}

    async def open(self) -> int:
        """Open the page and keep its cookie."""
        asked = {"response_type": "code", "client_id": "castor-console", "redirect_uri": CALLBACK, "scope": "openid"}
        proof = {"code_challenge": "x" * 43, "code_challenge_method": "S256"}
        answer = await self._client.get("/v1/auth/oidc/authorize", params={**asked, **proof}, headers=self._forwarded)
        self._forwarded["Cookie"] = answer.headers.get("set-cookie", "").partition(";")[0]
        self._client.cookies.clear()
        self._fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', answer.text))
        return answer.status_code

    async def send(self, path: str = "login", **fields: str) -> int:
        """Send its form."""
        data = {**self._fields, **fields}
        return (await self._client.post(f"/v1/auth/oidc/{path}", data=data, headers=self._forwarded)).status_code


async def test_the_login_page_is_limited_like_a_login(run_auth: Any, people: Any) -> None:
    """Wrong passwords, codes and MFA codes of frontends count for the address, and for the account of a login too."""
    limits = {"failed_authentications": "3/minute", "throttle_free_attempts": 2, "throttle_first_seconds": 60}
    async with run_auth(console_redirect_uris=CALLBACK, **limits) as auth:
        await auth.ready()
        email = people.email()
        await people.register(auth.client, email)
        page = LoginPage(auth, "2001:db8:0:51::1")
        assert await page.open() == 200
        wrong = {"email": email, "password": "not the password"}
        assert [await page.send(**wrong) for _ in range(3)] == [401, 401, 429]
        body = {"email": email, "password": people.password}
        there = {"X-Forwarded-For": "2001:db8:0:52::1", "User-Agent": "another"}
        login = await auth.client.post("/v1/auth/login", json=body, headers=there)
        assert (login.status_code, login.json()["code"]) == (429, "too_many_attempts")
        assert await page.send("login/mfa", mfa_token="x" * 43, code="123456") == 401
        assert await page.send("login/mfa", mfa_token="x" * 43, code="123456") == 429
        assert await page.open() == 429
        code = {"grant_type": "authorization_code", "client_id": "castor-console", "code": "x" * 43}
        elsewhere = LoginPage(auth, "2001:db8:0:53::1")
        assert [await elsewhere.send("token", **code) for _ in range(4)] == [400, 400, 400, 429]
