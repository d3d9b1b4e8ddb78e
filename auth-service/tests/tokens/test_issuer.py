"""The claims of access tokens."""

from __future__ import annotations

from typing import Any

import pytest

from castor_chassis.testing import RunningService

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_access_token_says_what_the_contract_promises(auth: RunningService, people: Any) -> None:
    """A user's token has exactly the claims that every service relies on, and lives 15 minutes."""
    session = await people.register(auth.client)
    claims = people.claims(session["tokens"]["access_token"])
    standard = {"iss", "sub", "aud", "exp", "iat", "jti", "amr", "acr", "auth_time"}
    assert set(claims) == standard | {"token_use", "sid", "scope", "roles", "org", "email"}
    assert claims["amr"] == ["pwd"]
    assert 0 <= claims["iat"] - claims["auth_time"] <= 60
    assert (claims["iss"], claims["aud"], claims["token_use"]) == ("https://auth.castor", "castor", "user")
    assert (claims["sub"], claims["roles"]) == (session["user"]["id"], ["analyst"])
    assert claims["exp"] - claims["iat"] == 900
    scopes = claims["scope"].split()
    assert {"tweets:read", "rag:query", "keys:manage"} <= set(scopes)
    assert not {"users:admin", "feed:read"} & set(scopes)
