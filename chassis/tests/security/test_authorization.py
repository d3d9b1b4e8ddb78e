"""The scope of a token decides whether a route answers."""

from __future__ import annotations

from castor_chassis.testing import TokenIssuer
from small_service import Running, bearer


async def test_scopes_decide(running: Running, issuer: TokenIssuer) -> None:
    """No token is 401, a token without the scope is 403, with it 200."""
    async with running() as service:
        none = await service.client.get("/v1/small/echo/a")
        other = await service.client.get("/v1/small/echo/a", headers=bearer(issuer, "small:write"))
        right = await service.client.get("/v1/small/echo/a", headers=bearer(issuer, "small:read"))
    assert (none.status_code, other.status_code, right.status_code) == (401, 403, 200)
    assert none.headers["www-authenticate"] == "Bearer"
    assert "small:read" in other.json()["error"]
