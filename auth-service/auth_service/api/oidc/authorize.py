"""Routes of the authorization endpoint and its login page."""

from __future__ import annotations

import secrets
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, Form, Request
from fastapi.responses import RedirectResponse, Response

from auth_service.api.dependencies import From, R, Resources, count_guess
from auth_service.api.oidc import pages
from auth_service.crypto.password_policy import MAX_CHARACTERS
from auth_service.errors import LoginPageExpired, LogoutRefused
from auth_service.oidc.authorization import LoginPage, WayBack
from auth_service.oidc.requests import PAGE_SECONDS, AuthorizationRefused, language_of
from castor_chassis import ErrorBody, Text, current_request, public
from castor_chassis.service.error_handlers import error_response

router = APIRouter(prefix="/v1/auth/oidc", tags=["oidc"])
COOKIE = "__Host-castor-login"
SESSION_COOKIE = "__Host-castor-session"
"""Holds the token of the single sign-on."""
_HTML: dict[str, Any] = {"content": {"text/html": {"schema": {"type": "string"}}}}
PAGES: dict[int | str, dict[str, Any]] = {
    200: {"description": "The login page.", **_HTML},
    303: {"description": "Back to the client, with a code or an error."},
    400: {"description": "A page that says why nobody can log in here.", **_HTML},
}
_REFUSED: dict[int | str, dict[str, Any]] = {
    status: {"model": ErrorBody, "description": "The login page once more, with the reason.", **_HTML}
    for status in (401, 403, 429, 503)
}


def _parameter(name: str, *, required: bool = False, **schema: Any) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": required, "schema": {"type": "string", **schema}}


_QUERY = {
    "parameters": [
        _parameter("response_type", required=True, enum=["code"]),
        _parameter("client_id", required=True),
        _parameter("redirect_uri", required=True),
        _parameter("scope", required=True, description="Space separated; openid is one of them."),
        _parameter("code_challenge", required=True, pattern="^[A-Za-z0-9_-]{43}$"),
        _parameter("code_challenge_method", required=True, enum=["S256"]),
        _parameter("state"),
        _parameter("nonce"),
        _parameter("login_hint"),
        _parameter("prompt", description="none: answer login_required rather than a page; login: ask in any case."),
        _parameter("max_age", pattern="^[0-9]{1,9}$", description="Seconds since the login; older ones do not count."),
        _parameter("ui_locales", description="Space separated; the login page has es and en."),
        _parameter("acr_values", description="aal2: only a login with a second factor will do."),
    ]
}
# RFC 6749 section 3.1: a parameter that is not known is ignored.
_AS_OAUTH = public("it is where users log in", refuse_unknown=False)


@router.get(
    "/authorize",
    response_class=Response,
    responses=PAGES,
    openapi_extra=_QUERY,
    dependencies=[Depends(_AS_OAUTH)],
)
async def show_login(request: Request, r: R, client: From) -> Response:
    """Show the login page of an authorization request (OpenID Connect Core section 3.1.2).

    A browser that is logged in already goes back at once, unless the request asks for a login.
    """
    browser = request.cookies.get(COOKIE) or secrets.token_urlsafe(32)
    session = request.cookies.get(SESSION_COOKIE)
    outcome = await r.authorization.answer(request.query_params.multi_items(), browser, session, client)
    response = _answer(request, outcome)
    if isinstance(outcome, LoginPage):
        _set_cookie(response, COOKIE, browser, PAGE_SECONDS)
    return response


Token = Annotated[Text, Form(min_length=1, max_length=1024)]
Short = Annotated[Text, Form(min_length=1, max_length=254)]
Secret = Annotated[Text, Form(min_length=1, max_length=MAX_CHARACTERS)]
Credential = Annotated[Text, Form(min_length=2, max_length=16_384, description="JSON.")]
Sealed = Annotated[Text, Form(alias="request", min_length=1, max_length=8192)]
_FORM: dict[str, Any] = {
    "response_class": Response,
    "responses": PAGES | _REFUSED,
    "dependencies": [Depends(public("it is how a user proves who they are"))],
}


@router.post("/login", **_FORM)
async def submit_password(
    request: Request,
    r: R,
    client: From,
    email: Short,
    password: Secret,
    sealed: Sealed,
) -> Response:
    """Take the form of the login page; only in the browser that was shown it."""
    outcome = await r.authorization.log_in(sealed, _browser(request), email, password, client)
    return _entered(request, r, outcome)


@router.post("/login/mfa", **_FORM)
async def submit_code(request: Request, r: R, client: From, mfa_token: Token, code: Short, sealed: Sealed) -> Response:
    """Take the form for the MFA code."""
    outcome = await r.authorization.second_step(sealed, _browser(request), mfa_token, code, client)
    return _entered(request, r, outcome)


@router.post("/login/passkey", **_FORM)
async def submit_passkey(
    request: Request, r: R, client: From, token: Token, credential: Credential, sealed: Sealed
) -> Response:
    """Take the answer of an authenticator to the offer of the login page."""
    outcome = await r.authorization.log_in_with_passkey(sealed, _browser(request), token, credential, client)
    return _entered(request, r, outcome)


def language_for(request: Request) -> str:
    """Return the language of a page without a form: as ``ui_locales`` asks, else as the browser does."""
    return language_of(request.query_params.get("ui_locales", ""), request.headers.get("accept-language", ""))


def _browser(request: Request) -> str:
    """Return the secret of the browser that was shown a login page; raises ``LoginPageExpired`` for any other.

    A form that another site sends comes without the cookie, because of SameSite.
    """
    browser = request.cookies.get(COOKIE)
    if not browser:
        raise LoginPageExpired
    return browser


def _set_cookie(response: Response, name: str, value: str, seconds: float) -> None:
    response.set_cookie(name, value, max_age=int(seconds), path="/", secure=True, httponly=True, samesite="lax")


def _entered(request: Request, r: Resources, outcome: LoginPage | WayBack) -> Response:
    response = _answer(request, outcome)
    if isinstance(outcome, WayBack) and outcome.browser_session is not None:
        lifetime = r.authorization.browsers.lifetime
        _set_cookie(response, SESSION_COOKIE, outcome.browser_session, lifetime.total_seconds())
    return response


def _answer(request: Request, outcome: LoginPage | WayBack) -> Response:
    if isinstance(outcome, WayBack):
        headers = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
        return RedirectResponse(outcome.url, 303, headers=headers)
    if outcome.error is not None:
        count_guess(request, outcome.error)
    return pages.login_page(outcome)


def forget_browser(response: Response) -> None:
    """Have the browser forget its single sign-on."""
    response.delete_cookie(SESSION_COOKIE, path="/", secure=True, httponly=True, samesite="lax")


async def _on_refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, AuthorizationRefused)
    if error.redirect is None:
        return pages.refusal_page(error.description, language_for(request))
    return _answer(request, WayBack(error.redirect))


async def _on_expired(request: Request, _error: Exception) -> Response:
    return pages.expired_page(language_for(request))


async def _on_logout_refused(_request: Request, error: Exception) -> Response:
    assert isinstance(error, LogoutRefused)
    info = current_request()
    response = error_response(error, info.request_id if info else "none")
    forget_browser(response)
    return response


def install_browser_errors(app: FastAPI) -> None:
    """Answer what the login page raises with pages and redirects, which is what browsers can show.

    A logout that is refused takes the single sign-on of the browser all the same: whoever asked for it has left.
    """
    app.add_exception_handler(LogoutRefused, _on_logout_refused)
    app.add_exception_handler(AuthorizationRefused, _on_refused)
    app.add_exception_handler(LoginPageExpired, _on_expired)
