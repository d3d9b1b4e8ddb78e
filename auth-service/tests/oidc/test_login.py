"""A login through the provider, from the frontend's first redirect to its logout."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import asyncpg
import pytest
import pytest_asyncio
from authlib.integrations.base_client import OAuthError

from auth_service.mfa.totp import STEP_SECONDS, code_at
from castor_chassis.testing import RunningService

from .frontend import AFTER_LOGOUT, CALLBACK, Browser, Frontend, parameters_of

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def logged_in(frontend: Frontend, browser: Browser, email: str, password: str, **asked: Any) -> str:
    """Log in and return the address that the browser comes back to."""
    page = await browser.open(frontend.authorization_url(**asked)[0])
    assert page.status_code == 200, page.text
    answer = await browser.send(page, email=email, password=password)
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"])


@pytest_asyncio.fixture(loop_scope="module")
async def email(provider: RunningService, people: Any) -> str:
    """The address of somebody with an account."""
    address: str = people.email()
    await people.register(provider.client, address)
    return address


async def test_a_frontend_gets_tokens_that_say_who_logged_in(
    provider: RunningService, frontend: Frontend, browser: Browser, people: Any, email: str
) -> None:
    """Authlib accepts state, nonce, issuer and signature; the access token has the scopes asked for and no other."""
    _, state = frontend.authorization_url()
    callback = await logged_in(frontend, browser, email, people.password, state=state)
    assert parameters_of(callback)["iss"] == provider.url
    tokens = await frontend.collect(callback, state=state)
    claims = frontend.claims_of(tokens["id_token"])
    assert (claims["email"], claims["amr"], claims["acr"]) == (email, ["pwd"], "aal1")
    access = people.claims(tokens["access_token"])
    assert access["scope"] == "email openid profile tweets:read"
    assert access["client_id"] == frontend.oauth.client_id
    bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
    told = await provider.client.get("/v1/auth/oidc/userinfo", headers=bearer)
    assert told.headers["access-control-allow-origin"] == "*"
    assert {name: told.json()[name] for name in ("sub", "email")} == {"sub": claims["sub"], "email": email}
    assert (await provider.client.get("/v1/auth/me", headers=bearer)).status_code == 403


async def test_refresh_rotates_and_belongs_to_the_client(
    provider: RunningService, new_frontend: Any, browser: Browser, people: Any, email: str
) -> None:
    """Each refresh gives the next token; another client, or the login's own refresh, gets nothing for it."""
    frontend, other = await new_frontend(), await new_frontend()
    tokens = await frontend.collect(await logged_in(frontend, browser, email, people.password))
    endpoint, first = frontend.metadata["token_endpoint"], tokens["refresh_token"]
    with pytest.raises(OAuthError, match="invalid_grant"):
        await other.oauth.refresh_token(endpoint, refresh_token=first)
    own = await provider.client.post("/v1/auth/refresh", json={"refresh_token": first})
    assert own.status_code == 401
    second = await frontend.oauth.refresh_token(endpoint, refresh_token=first)
    assert second["refresh_token"] != first
    assert people.claims(second["access_token"])["scope"] == "email openid profile tweets:read"
    third = await frontend.oauth.refresh_token(endpoint, refresh_token=second["refresh_token"])
    assert third["refresh_token"] not in (first, second["refresh_token"])


async def test_a_code_works_once_and_a_second_use_ends_the_session(
    frontend: Frontend,
    browser: Browser,
    people: Any,
    email: str,
    database: asyncpg.Connection,
) -> None:
    """Used again by whoever saw it, a code gives nothing, and what it gave before ends."""
    callback = await logged_in(frontend, browser, email, people.password)
    tokens = await frontend.collect(callback)
    with pytest.raises(OAuthError, match="invalid_grant"):
        await frontend.collect(callback)
    with pytest.raises(OAuthError, match="invalid_grant"):
        await frontend.oauth.refresh_token(frontend.metadata["token_endpoint"], refresh_token=tokens["refresh_token"])
    subject = people.claims(tokens["access_token"])["sub"]
    reuse = "SELECT count(*) FROM audit_events WHERE event = 'authorization_code_reuse' AND subject = $1"
    assert await database.fetchval(reuse, subject) == 1
    assert parameters_of(callback)["code"] not in str(await database.fetch("SELECT * FROM authorization_codes"))


async def test_a_code_lives_for_a_minute(
    frontend: Frontend, browser: Browser, people: Any, email: str, database: asyncpg.Connection
) -> None:
    """It is stored with an end, and is refused after it."""
    callback = await logged_in(frontend, browser, email, people.password)
    of_frontend = "WHERE client_id = $1"
    life = f"SELECT expires_at - auth_time FROM authorization_codes {of_frontend}"
    assert await database.fetchval(life, frontend.oauth.client_id) == timedelta(seconds=60)
    await database.execute(f"UPDATE authorization_codes SET expires_at = now() {of_frontend}", frontend.oauth.client_id)
    with pytest.raises(OAuthError, match="invalid_grant"):
        await frontend.collect(callback)


@pytest.mark.parametrize(
    "changed",
    [
        {"code_verifier": "x" * 43},
        {"code_verifier": ""},
        {"redirect_uri": CALLBACK + "/"},
        {"client_id": "castor-console"},
    ],
    ids=["verifier", "no verifier", "redirect URI", "client"],
)
async def test_a_code_is_bound(
    provider: RunningService, frontend: Frontend, browser: Browser, people: Any, email: str, changed: dict[str, str]
) -> None:
    """A stolen code is worth nothing without verifier, redirect URI and client; the owner can still use it."""
    callback = await logged_in(frontend, browser, email, people.password)
    form = {
        "grant_type": "authorization_code",
        "code": parameters_of(callback)["code"],
        "client_id": str(frontend.oauth.client_id),
        "redirect_uri": CALLBACK,
        "code_verifier": frontend.verifier,
    }
    refused = await provider.client.post("/v1/auth/oidc/token", data={**form, **changed})
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")
    assert (await provider.client.post("/v1/auth/oidc/token", data=form)).status_code == 200


async def test_a_code_is_void_after_a_change_of_the_account(
    provider: RunningService, frontend: Frontend, browser: Browser, people: Any, email: str
) -> None:
    """A login that was not collected before the password changed is not collected after it."""
    callback = await logged_in(frontend, browser, email, people.password)
    session = await provider.client.post("/v1/auth/login", json={"email": email, "password": people.password})
    bearer = {"Authorization": f"Bearer {session.json()['data']['tokens']['access_token']}"}
    body = {"current_password": people.password, "new_password": "otra clave bien larga"}
    assert (await provider.client.post("/v1/auth/me/password", json=body, headers=bearer)).status_code == 200
    with pytest.raises(OAuthError, match="invalid_grant"):
        await frontend.collect(callback)


async def test_the_second_factor_is_asked_for_and_told(
    provider: RunningService, frontend: Frontend, browser: Browser, people: Any, enrolled: Any
) -> None:
    """After the password comes the code; the tokens say so, and aal2 is refused to accounts without a second factor."""
    email, key = await enrolled(provider.client)
    page = await browser.open(frontend.authorization_url(acr_values="aal2")[0])
    second = await browser.send(page, email=email, password=people.password)
    assert second.status_code == 200
    wrong = await browser.send(second, code="000000")
    assert (wrong.status_code, "El código no es correcto" in wrong.text) == (403, True)
    done = await browser.send(wrong, code=code_at(key, int(time.time()) // STEP_SECONDS))
    tokens = await frontend.collect(done.headers["location"])
    claims = frontend.claims_of(tokens["id_token"])
    assert (claims["amr"], claims["acr"]) == (["pwd", "otp", "mfa"], "aal2")


async def test_aal2_is_refused_without_a_second_factor(
    frontend: Frontend, browser: Browser, people: Any, email: str
) -> None:
    """The frontend learns that the login it asked for cannot be had."""
    callback = await logged_in(frontend, browser, email, people.password, acr_values="aal2")
    assert parameters_of(callback)["error"] == "unmet_authentication_requirements"


async def test_logout_ends_the_session_and_sends_the_browser_back(
    provider: RunningService, frontend: Frontend, browser: Browser, people: Any, email: str
) -> None:
    """Only to an address that is registered; an access token is no proof."""
    tokens = await frontend.collect(await logged_in(frontend, browser, email, people.password))
    path, hint = "/v1/auth/oidc/logout", {"id_token_hint": tokens["id_token"]}
    elsewhere = {**hint, "post_logout_redirect_uri": "https://evil.example/"}
    assert (await provider.client.get(path, params=elsewhere)).status_code == 422
    assert (await provider.client.get(path, params={"id_token_hint": tokens["access_token"]})).status_code == 422
    bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
    assert (await provider.client.get("/v1/auth/oidc/userinfo", headers=bearer)).status_code == 200
    back = await provider.client.get(path, params={**hint, "post_logout_redirect_uri": AFTER_LOGOUT, "state": "s 1"})
    assert (back.status_code, back.headers["location"]) == (303, f"{AFTER_LOGOUT}?state=s+1")
    assert (await provider.client.get("/v1/auth/oidc/userinfo", headers=bearer)).status_code == 401
    assert "Sesión cerrada" in (await provider.client.get(path, params=hint)).text
    assert "Signed out" in (await provider.client.get(path, params={**hint, "ui_locales": "en"})).text
