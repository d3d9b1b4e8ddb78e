"""What the provider refuses, and how its pages protect themselves."""

from __future__ import annotations

import base64
import hashlib
from typing import Any
from urllib.parse import urlencode

import pytest

from castor_chassis.testing import RunningService

from .frontend import CALLBACK, Browser, Frontend, parameters_of

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_mode": "fragment"}, "invalid_request"),
        ({"scope": "tweets:read"}, "invalid_scope"),
        ({"scope": "openid users:admin"}, "invalid_scope"),
        ({"prompt": "none"}, "login_required"),
        ({"prompt": "none login"}, "invalid_request"),
        ({"max_age": "soon"}, "invalid_request"),
        ({"max_age": "-1"}, "invalid_request"),
        ({"request": "e30.e30."}, "request_not_supported"),
        ({"request_uri": "https://a.example/"}, "request_uri_not_supported"),
    ],
)
async def test_the_frontend_learns_of_a_bad_request(
    frontend: Frontend, browser: Browser, changed: dict[str, str | None], error: str
) -> None:
    """By a redirect with the error, its state and the issuer, and nobody is asked for a password."""
    answer = await browser.open(changed_url(frontend, **changed))
    assert answer.status_code == 303
    found = parameters_of(answer.headers["location"])
    assert (found["error"], found["state"], found["iss"]) == (error, "xyz", frontend.metadata["issuer"])


@pytest.mark.parametrize(
    "changed",
    [
        {"redirect_uri": "https://evil.example/callback"},
        {"redirect_uri": CALLBACK + "/../evil"},
        {"redirect_uri": CALLBACK.upper()},
        {"redirect_uri": None},
        {"client_id": "castor-app-000000000000"},
        {"client_id": "\x00"},
        {"state": "a\nb"},
    ],
)
async def test_an_unregistered_place_is_never_redirected_to(
    frontend: Frontend, browser: Browser, changed: dict[str, str | None]
) -> None:
    """The browser is shown why, and stays here."""
    answer = await browser.open(changed_url(frontend, **changed))
    assert (answer.status_code, answer.headers["content-type"]) == (400, "text/html; charset=utf-8")
    assert "location" not in answer.headers


async def test_a_parameter_that_is_repeated_is_refused(frontend: Frontend, browser: Browser) -> None:
    """Two values of one parameter are one too many (RFC 6749 section 3.1)."""
    answer = await browser.open(changed_url(frontend) + "&redirect_uri=https%3A%2F%2Fevil.example")
    assert answer.status_code == 400


def changed_url(frontend: Frontend, **changed: str | None) -> str:
    """Return an authorization request with other parameters; None: without it."""
    given = {**parameters_of(frontend.authorization_url()[0]), "state": "xyz", **changed}
    kept = {name: value for name, value in given.items() if value is not None}
    return f"{frontend.metadata['authorization_endpoint']}?{urlencode(kept)}"


async def test_pages_run_one_script_and_stay_out_of_frames(frontend: Frontend, browser: Browser) -> None:
    """A policy that names the page's own script, no cache, a cookie that scripts cannot read; names are escaped."""
    page = await browser.open(frontend.authorization_url(login_hint='"><script>')[0])
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "form-action 'self' http://localhost:3000;" in policy
    assert "frame-ancestors 'none'" in policy
    assert page.headers["cache-control"] == "no-store"
    cookie = page.headers["set-cookie"]
    for part in ("__Host-", "HttpOnly", "Secure", "SameSite=lax", "Path=/"):
        assert part in cookie
    script = page.text.split("<script>")[1].split("</script>")[0]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}';" in policy
    assert page.text.count("<script") == 1
    assert 'type="password" autocomplete="current-password"' in page.text
    assert 'autocomplete="username"' in page.text
    assert "Tablero &lt;b&gt;" in page.text


async def test_a_form_counts_only_in_its_browser(
    provider: RunningService, frontend: Frontend, browser: Browser, people: Any
) -> None:
    """Neither another browser nor another site can send it, and a changed request is none."""
    page = await browser.open(frontend.authorization_url()[0])
    stranger = Browser(provider.client)
    fields = {"email": people.administrator, "password": people.password}
    without = await stranger.send(page, **fields)
    await stranger.open(frontend.authorization_url()[0])
    another = await stranger.send(page, **fields)
    forged = await browser.send(page, **fields, request="AAAA")
    for answer in (without, another, forged):
        assert answer.status_code == 400
        assert "caducó" in answer.text
    assert (await browser.send(page, **fields)).status_code == 303


async def test_a_wrong_password_says_so_in_spanish(frontend: Frontend, browser: Browser, people: Any) -> None:
    """The page comes again with the reason, the address and the same request."""
    page = await browser.open(frontend.authorization_url()[0])
    again = await browser.send(page, email="a@b.co", password="not it at all")
    assert again.status_code == 401
    assert "El correo o la contraseña no son correctos" in again.text
    assert 'value="a@b.co"' in again.text
    done = await browser.send(again, email=people.administrator, password=people.password)
    assert done.status_code == 303


@pytest.mark.parametrize(
    ("asked", "language", "button", "refusal"),
    [
        ("en", "en", "Sign in", "E-mail or password is wrong"),
        ("pt en-GB es", "en", "Sign in", "E-mail or password is wrong"),
        ("pt", "es", "Iniciar sesión", "El correo o la contraseña no son correctos"),
    ],
)
async def test_the_page_has_the_language_that_is_asked_for(
    frontend: Frontend, browser: Browser, asked: str, language: str, button: str, refusal: str
) -> None:
    """The first of ui_locales that it speaks, also when it comes again with an error; else Spanish."""
    page = await browser.open(frontend.authorization_url(ui_locales=asked)[0])
    again = await browser.send(page, email="a@b.co", password="not it at all")
    for shown in (page, again):
        assert f'<html lang="{language}">' in shown.text
        assert f"<button>{button}</button>" in shown.text
    assert refusal in again.text


@pytest.mark.parametrize(
    ("accepted", "language"), [("pt-BR, en-GB;q=0.8", "en"), ("es-CO,en;q=0.5", "es"), ("", "es"), ("*;q=x,,", "es")]
)
async def test_pages_without_a_form_have_the_language_of_the_browser(
    provider: RunningService, accepted: str, language: str
) -> None:
    """A refused request and an expired form are told as Accept-Language asks, else in Spanish; first is ui_locales."""
    headers = {"Accept-Language": accepted}
    refused = await provider.client.get("/v1/auth/oidc/authorize", headers=headers)
    form = {"email": "a@b.co", "password": "x", "request": "none"}
    expired = await provider.client.post("/v1/auth/oidc/login", data=form, headers=headers)
    titles = {
        "en": ("Signing in is not possible", "The page has expired"),
        "es": ("No es posible iniciar sesión", "La página caducó"),
    }
    for page, title in zip((refused, expired), titles[language], strict=True):
        assert page.status_code == 400, page.text
        assert f'<html lang="{language}">' in page.text
        assert f"<h1>{title}</h1>" in page.text
    asked = await provider.client.get("/v1/auth/oidc/authorize?ui_locales=en", headers=headers)
    assert "<h1>Signing in is not possible</h1>" in asked.text


async def test_the_console_comes_from_the_settings_and_clients_end(
    provider: RunningService, frontend: Frontend, browser: Browser, people: Any
) -> None:
    """It is listed first; a client that was ended gets no login, and only administrators list and end them."""
    administrator = await people.administrator_headers(provider.client)
    path = "/v1/auth/oidc/clients"
    listed = (await provider.client.get(path, headers=administrator)).json()["data"]["items"]
    assert listed[0]["id"] == "castor-console"
    assert (await provider.client.get(path, headers=await people.headers(provider.client))).status_code == 403
    mine = f"{path}/{frontend.oauth.client_id}"
    assert (await provider.client.delete(mine, headers=administrator)).status_code == 200
    assert (await provider.client.delete(mine, headers=administrator)).status_code == 404
    assert (await browser.open(frontend.authorization_url()[0])).status_code == 400


@pytest.mark.parametrize(
    "uri",
    ["http://evil.example/", "https://a.example/#f", "https://u@a.example/", "https://*.example/*", "javascript:x"],
)
async def test_a_redirect_uri_that_is_not_safe_is_not_registered(
    provider: RunningService, people: Any, uri: str
) -> None:
    """https, or http on the user's own machine, and nothing that could mean two places."""
    administrator = await people.administrator_headers(provider.client)
    body = {"name": "x", "redirect_uris": [uri]}
    answer = await provider.client.post("/v1/auth/oidc/clients", json=body, headers=administrator)
    assert answer.status_code == 422
