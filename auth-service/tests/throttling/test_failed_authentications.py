"""Whatever is sent as a proof, wrong ones are limited by address before the next is verified."""

from __future__ import annotations

import secrets
from typing import Any

import pytest

from castor_chassis.client.transport import httpx

pytestmark = pytest.mark.asyncio(loop_scope="module")

KEY = f"castor_{secrets.token_hex(8)}_{secrets.token_urlsafe(32)}"
PROOFS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "password": ("POST", "/v1/auth/login", {"email": "nobody@example.com", "password": "not the password"}),
    "refresh token": ("POST", "/v1/auth/refresh", {"refresh_token": "x" * 43}),
    "registration": ("POST", "/v1/auth/register/confirm", {"token": "x" * 43, "password": "not the password"}),
    "password reset": ("POST", "/v1/auth/password/reset", {"token": "x" * 43, "new_password": "cinco caballos lentos"}),
    "change of address": ("POST", "/v1/auth/email/confirm", {"token": "x" * 43}),
    "second step": ("POST", "/v1/auth/login/mfa", {"mfa_token": "x" * 43, "code": "123456"}),
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
