"""Single sign-on: a browser that is logged in gives the next frontend a code without a form."""

from __future__ import annotations

import html
import json
import re
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

from castor_chassis.client.transport import httpx
from castor_chassis.testing import RunningService

from ..passkeys.authenticator import Authenticator
from .frontend import Browser, Frontend, parameters_of

pytestmark = pytest.mark.asyncio(loop_scope="module")
COOKIE = "__Host-castor-session"


async def opened(frontend: Frontend, browser: Browser, **asked: Any) -> httpx.Response:
    """Send the browser to the provider."""
    return await browser.open(frontend.authorization_url(**asked)[0])


async def silently(frontend: Frontend, browser: Browser, **asked: Any) -> dict[str, str]:
    """Return what the frontend learns when nothing may be shown."""
    answer = await opened(frontend, browser, prompt="none", **asked)
    assert answer.status_code == 303, answer.text
    return parameters_of(answer.headers["location"])


@pytest_asyncio.fixture(loop_scope="module")
async def email(provider: RunningService, people: Any, frontend: Frontend, browser: Browser) -> str:
    """The address of somebody who is logged in in the browser."""
    address: str = people.email()
    await people.register(provider.client, address)
    page = await opened(frontend, browser)
    assert (await browser.send(page, email=address, password=people.password)).status_code == 303
    assert COOKIE in browser.cookies
    return address


async def test_the_next_frontend_does_not_ask(
    provider: RunningService, new_frontend: Any, browser: Browser, email: str
) -> None:
    """It gets tokens of its own that say when and how the login was; other browsers are asked."""
    other = await new_frontend()
    answer = await opened(other, browser)
    assert (answer.status_code, answer.headers["cache-control"]) == (303, "no-store")
    tokens = await other.collect(answer.headers["location"])
    claims = other.claims_of(tokens["id_token"])
    assert (claims["email"], claims["amr"]) == (email, ["pwd"])
    assert claims["auth_time"] <= claims["iat"]
    assert "code" in await silently(other, browser)
    assert "code" in await silently(other, browser, max_age="600")
    assert (await opened(other, Browser(provider.client))).status_code == 200


async def test_the_frontend_says_when_a_login_is_needed(
    frontend: Frontend, browser: Browser, email: str, database: asyncpg.Connection
) -> None:
    """By prompt, by an age that the login is beyond, a second factor that it lacks, and the user it is for."""
    await database.execute(
        "UPDATE browser_sessions SET auth_time = now() - interval '1 hour' "
        "WHERE user_id = (SELECT id FROM users WHERE email = $1)",
        email,
    )
    other = {"login_hint": "somebody.else@example.com"}
    for asked in ({"prompt": "login"}, {"max_age": "60"}, {"max_age": "0"}, {"acr_values": "aal2"}, other):
        assert (await opened(frontend, browser, **asked)).status_code == 200, asked
        if "prompt" not in asked:
            assert (await silently(frontend, browser, **asked))["error"] == "login_required"
    assert "code" in await silently(frontend, browser, max_age="7200", login_hint=email.upper())


@pytest.mark.usefixtures("email")
async def test_a_logout_ends_it_for_its_user_only(
    provider: RunningService, frontend: Frontend, browser: Browser, people: Any
) -> None:
    """Somebody else's ID token logs nobody out; one's own ends the single sign-on, and takes the cookie."""
    stranger, address = Browser(provider.client), people.email()
    await people.register(provider.client, address)
    page = await opened(frontend, stranger)
    foreign = await frontend.collect(
        (await stranger.send(page, email=address, password=people.password)).headers["location"]
    )
    own = await frontend.collect((await opened(frontend, browser)).headers["location"])
    before = dict(browser.cookies)
    await browser.open(f"/v1/auth/oidc/logout?id_token_hint={foreign['id_token']}")
    browser.cookies = dict(before)
    assert "code" in await silently(frontend, browser)
    gone = await browser.open(f"/v1/auth/oidc/logout?id_token_hint={own['id_token']}")
    assert f'{COOKIE}=""' in gone.headers["set-cookie"]
    browser.cookies = dict(before)
    assert (await silently(frontend, browser))["error"] == "login_required"


@pytest.mark.parametrize("what", ["password", "everywhere", "suspended", "expired"])
async def test_it_ends_with(
    provider: RunningService,
    frontend: Frontend,
    browser: Browser,
    people: Any,
    email: str,
    database: asyncpg.Connection,
    what: str,
) -> None:
    """A new password, a logout everywhere, a closed account, and its own end."""
    login = await provider.client.post("/v1/auth/login", json={"email": email, "password": people.password})
    bearer = {"Authorization": f"Bearer {login.json()['data']['tokens']['access_token']}"}
    if what == "password":
        body = {"current_password": people.password, "new_password": "otra clave bien larga"}
        assert (await provider.client.post("/v1/auth/me/password", json=body, headers=bearer)).status_code == 200
    elif what == "everywhere":
        assert (await provider.client.delete("/v1/auth/sessions", headers=bearer)).status_code == 200
    elif what == "suspended":
        await database.execute("UPDATE users SET is_active = false WHERE email = $1", email)
    else:
        await database.execute(
            "UPDATE browser_sessions SET expires_at = now() WHERE user_id = (SELECT id FROM users WHERE email = $1)",
            email,
        )
    assert (await silently(frontend, browser))["error"] == "login_required"
    assert (await opened(frontend, browser)).status_code == 200


async def test_the_cookie_is_kept_from_scripts_and_other_sites(
    frontend: Frontend, browser: Browser, people: Any, email: str, database: asyncpg.Connection
) -> None:
    """Its token is random, stored as a digest only, and another one is worth nothing."""
    answer = await browser.send(await opened(frontend, browser, prompt="login"), email=email, password=people.password)
    cookie = next(value for value in answer.headers.get_list("set-cookie") if value.startswith(COOKIE))
    for part in ("HttpOnly", "Secure", "SameSite=lax", "Path=/", "Max-Age=43200"):
        assert part in cookie
    assert browser.cookies[COOKIE] not in str(await database.fetch("SELECT * FROM browser_sessions"))
    browser.cookies[COOKIE] = "x" * 43
    assert (await silently(frontend, browser))["error"] == "login_required"


async def test_it_can_be_switched_off(run_auth: Any, people: Any) -> None:
    """With BROWSER_SESSION_HOURS=0 no cookie is set."""
    callback = "http://localhost:3000/callback"
    async with run_auth(console_redirect_uris=callback, browser_session_hours=0) as auth:
        await auth.ready()
        email, browser = people.email(), Browser(auth.client)
        await people.register(auth.client, email)
        url = (
            "/v1/auth/oidc/authorize?response_type=code&client_id=castor-console&scope=openid"
            f"&redirect_uri={callback}&code_challenge={'x' * 43}&code_challenge_method=S256"
        )
        answer = await browser.send(await browser.open(url), email=email, password=people.password)
        assert (answer.status_code, COOKIE in browser.cookies) == (303, False)
        assert (await browser.open(url)).status_code == 200


async def test_a_passkey_logs_in_at_the_page(provider: RunningService, frontend: Frontend, people: Any) -> None:
    """The page offers it; its answer counts once, and is two factors."""
    client = provider.client
    email, device = people.email(), Authenticator(provider.url)
    bearer = {"Authorization": f"Bearer {(await people.register(client, email))['tokens']['access_token']}"}
    asked = await client.post("/v1/auth/me/passkey-options", json={"password": people.password}, headers=bearer)
    made = asked.json()["data"]
    body = {"token": made["token"], "name": "Llave", "credential": device.create(made["options"])}
    assert (await client.post("/v1/auth/me/passkeys", json=body, headers=bearer)).status_code == 201
    browser = Browser(client)
    page = await opened(frontend, browser, acr_values="aal2")
    answered = json.dumps(device.get(offer_of(page)))
    wrong = await browser.send(page, 1, credential='{"rawId": "AAAA"}')
    assert (wrong.status_code, "La llave de acceso no se aceptó" in wrong.text) == (401, True)
    assert (await browser.send(page, 1, credential="[]")).status_code == 401
    done = await browser.send(page, 1, credential=answered)
    assert done.status_code == 303, done.text
    claims = frontend.claims_of((await frontend.collect(done.headers["location"]))["id_token"])
    assert (claims["email"], claims["amr"], claims["acr"]) == (email, ["pop", "user", "mfa"], "aal2")
    assert (await browser.send(page, 1, credential=answered)).status_code == 401
    assert "code" in await silently(frontend, browser, acr_values="aal2")


def offer_of(page: httpx.Response) -> dict[str, Any]:
    """Return what the page's script asks the authenticator."""
    found = re.search(r'data-options="([^"]*)"', page.text)
    assert found is not None
    options: dict[str, Any] = json.loads(html.unescape(found[1]))
    return options
