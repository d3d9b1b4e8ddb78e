"""Logouts by ID tokens whose signing key is gone: refreshed ones, retired keys, leaked keys."""

from __future__ import annotations

from typing import Any

import asyncpg
import pytest
from jose import jws

from auth_service.audit.recorder import Audit
from auth_service.settings import AuthSettings
from auth_service.tokens.command import rotation_times
from auth_service.tokens.key_rotation import KeyRotation
from castor_chassis.testing import RunningService, until

from .frontend import AFTER_LOGOUT, Browser, Frontend

pytestmark = pytest.mark.asyncio(loop_scope="module")
LOGOUT, SESSION = "/v1/auth/oidc/logout", "__Host-castor-session"


async def logged_in(provider: RunningService, frontend: Frontend, browser: Browser, people: Any) -> dict[str, Any]:
    """Return the tokens of somebody who has just logged in."""
    email = people.email()
    await people.register(provider.client, email)
    page = await browser.open(frontend.authorization_url()[0])
    back = await browser.send(page, email=email, password=people.password)
    return await frontend.collect(back.headers["location"])


async def userinfo(provider: RunningService, tokens: dict[str, Any]) -> int:
    """Use the access token."""
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    return (await provider.client.get("/v1/auth/oidc/userinfo", headers=headers)).status_code


async def until_unknown(provider: RunningService, kid: str) -> None:
    """Wait until the key verifies no access token any more."""

    async def gone() -> bool:
        # 503 for a moment: the leaked keys are dropped before their replacement is read.
        answer = await provider.client.get("/v1/auth/jwks")
        return answer.status_code == 200 and kid not in {key["kid"] for key in answer.json()["keys"]}

    await until(gone)


def rotation(provider: RunningService) -> KeyRotation:
    """Return what the command ``rotate-keys`` runs."""
    chassis = provider.pair.chassis
    settings, revocations = chassis.settings, provider.app.state.resources.revocations
    assert isinstance(settings, AuthSettings)
    vault = settings.vault()
    times = rotation_times(settings)
    return KeyRotation(chassis.postgres, vault, chassis.in_thread, Audit(vault), revocations, times)


async def test_a_refresh_brings_an_id_token(
    provider: RunningService, frontend: Frontend, browser: Browser, people: Any
) -> None:
    """It says the same of the login, and lacks the nonce (OpenID Connect Core section 12.2); it ends the session."""
    tokens = await logged_in(provider, frontend, browser, people)
    first = frontend.claims_of(tokens["id_token"])
    endpoint = frontend.metadata["token_endpoint"]
    later = await frontend.oauth.refresh_token(endpoint, refresh_token=tokens["refresh_token"])
    claims = people.claims(later["id_token"])
    for name in ("iss", "sub", "aud", "sid", "auth_time", "amr", "acr", "email"):
        assert claims[name] == first[name], name
    assert "nonce" not in claims
    assert (await provider.client.get(LOGOUT, params={"id_token_hint": later["id_token"]})).status_code == 200
    assert await userinfo(provider, later) == 401


async def test_a_retired_key_still_logs_out(
    provider: RunningService, frontend: Frontend, browser: Browser, people: Any, database: asyncpg.Connection
) -> None:
    """The key verifies nothing else any more; who logged in before the rotation leaves session and single sign-on."""
    tokens = await logged_in(provider, frontend, browser, people)
    kid = jws.get_unverified_header(tokens["id_token"])["kid"]
    await rotation(provider).rotate()
    await database.execute("UPDATE signing_keys SET activated_at = now() WHERE activated_at > now()")
    await database.execute("UPDATE signing_keys SET retired_at = now() WHERE kid = $1", kid)
    provider.app.state.resources.signing_keys._stale.set()
    await until_unknown(provider, kid)
    hint = {"id_token_hint": tokens["id_token"], "post_logout_redirect_uri": AFTER_LOGOUT}
    assert (await provider.client.get(LOGOUT, params=hint)).status_code == 303
    refresh = {"grant_type": "refresh_token", "client_id": frontend.oauth.client_id, **tokens}
    refused = await provider.client.post("/v1/auth/oidc/token", data={name: str(refresh[name]) for name in refresh})
    assert refused.json()["error"] == "invalid_grant"


async def test_a_leaked_key_logs_nobody_out(
    provider: RunningService, frontend: Frontend, browser: Browser, people: Any
) -> None:
    """The hint is refused, and the browser forgets its single sign-on all the same."""
    tokens = await logged_in(provider, frontend, browser, people)
    await rotation(provider).replace_leaked()
    await until_unknown(provider, jws.get_unverified_header(tokens["id_token"])["kid"])
    refused = await browser.open(f"{LOGOUT}?id_token_hint={tokens['id_token']}")
    assert (refused.status_code, refused.json()["code"]) == (422, "logout_refused")
    assert f'{SESSION}=""' in refused.headers["set-cookie"]
    strange = jws.sign(b"{}", "secret", headers={"kid": "\x00"}, algorithm="HS256")
    assert (await provider.client.get(LOGOUT, params={"id_token_hint": strange})).status_code == 422
