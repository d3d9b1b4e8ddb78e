"""The login page's work: who logs in, and the code that the client gets for it."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from auth_service.accounts.login import Login
from auth_service.crypto.digests import digest
from auth_service.crypto.vault import Vault
from auth_service.errors import AccountChanged, LoginPageExpired, MfaRequired, PasskeyRefused
from auth_service.metrics import attempt
from auth_service.mfa.service import Mfa
from auth_service.oidc import code_repository
from auth_service.oidc.clients import OidcClients
from auth_service.oidc.model import AuthorizationRequest, OidcClient
from auth_service.oidc.requests import RequestReader, opened_request, redirect_to, sealed_request
from auth_service.passkeys.service import PASSKEY, Passkeys
from auth_service.sessions.browser_session_repository import BrowserSession
from auth_service.sessions.browser_sessions import BrowserSessions
from auth_service.sessions.service import PASSWORD, PASSWORD_AND_CODE
from auth_service.users.client import Client
from auth_service.users.model import User
from castor_chassis import ServiceError

_CODE_LIFE = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class PasskeyOffer:
    """What the script of the page asks the authenticator, and the token that goes with the answer."""

    options: dict[str, Any]
    token: str


@dataclass(frozen=True, slots=True)
class WayBack:
    """Where the browser goes, and what it keeps."""

    url: str
    browser_session: str | None = None
    """Token of the single sign-on that began."""


@dataclass(frozen=True, slots=True)
class LoginPage:
    """What the browser is shown: a form for the password or a passkey, or for the MFA code."""

    client: OidcClient
    request: str
    """The sealed request, which the form sends back."""
    redirect_uri: str
    passkey: PasskeyOffer
    email: str = ""
    language: str = "es"
    mfa_token: str | None = None
    """Set: the password was right, and a code is asked for."""
    error: ServiceError | None = None
    """Why the last attempt was refused."""


@dataclass(frozen=True)
class Authorization:
    """Shows login pages, and sends browsers back to their client with a code.

    ``browser`` is the secret of a cookie: a form counts only in the browser that was shown it.
    """

    clients: OidcClients
    login: Login
    mfa: Mfa
    vault: Vault
    issuer: str
    passkeys: Passkeys
    browsers: BrowserSessions

    async def answer(
        self, parameters: Iterable[tuple[str, str]], browser: str, session: str | None, client: Client
    ) -> LoginPage | WayBack:
        """Return the page for an authorization request, or the way back where the browser is logged in already.

        ``session`` is the token of its single sign-on. Raises ``AuthorizationRefused``.
        """
        reader = RequestReader.of(self.issuer, parameters)
        frontend = await self.clients.find(reader.given.get("client_id", ""))
        asked = reader.request_of(frontend)
        assert frontend is not None
        known = await self.browsers.find(session)
        if known is not None and reader.is_satisfied_by(known.user.email, known.amr, known.age_seconds):
            with suppress(AccountChanged):
                return await self._continued(asked, known, client)
        if reader.is_silent:
            raise reader.refused("login_required", "nobody is logged in in this browser as the request asks for")
        return self._page(frontend, sealed_request(self.vault, asked, browser), asked, asked.login_hint or "")

    def _page(self, frontend: OidcClient, sealed: str, asked: AuthorizationRequest, email: str) -> LoginPage:
        offer = PasskeyOffer(*self.passkeys.authentication())
        return LoginPage(frontend, sealed, asked.redirect_uri, offer, email, asked.language)

    async def _continued(self, asked: AuthorizationRequest, known: BrowserSession, client: Client) -> WayBack:
        """Give another frontend a code for the login that the browser remembers."""
        code = secrets.token_urlsafe(32)
        async with self.login.changes.begin(str(known.user.id), client, read=known.user) as change:
            await change.record("single_sign_on", frontend=asked.client_id)
            await code_repository.insert(
                change.db, digest(code), asked, known.user, known.amr, _CODE_LIFE, authenticated_at=known.auth_time
            )
        return WayBack(redirect_to(asked.redirect_uri, code=code, state=asked.state, iss=self.issuer))

    async def log_in(
        self, request: str, browser: str, email: str, password: str, client: Client
    ) -> LoginPage | WayBack:
        """Return where the browser goes with its code, or the page to show instead.

        Raises ``LoginPageExpired`` for a form that was not shown to this browser, or too long ago.
        """
        asked, page = await self._opened(request, browser, email)
        try:
            with attempt("password"):
                user, failures = await self.login.authenticate(email, password, client)
                return await self._code(asked, user, PASSWORD, client, failures=failures)
        except MfaRequired as required:
            return replace(page, mfa_token=required.details["mfa_token"])
        except ServiceError as refused:
            return replace(page, error=refused)

    async def second_step(
        self, request: str, browser: str, mfa_token: str, code: str, client: Client
    ) -> LoginPage | WayBack:
        """``log_in`` with the MFA code that its page asked for."""
        asked, page = await self._opened(request, browser, "")
        try:
            with attempt("mfa"):
                user = await self.mfa.second_step(mfa_token, code, client)
                return await self._code(asked, user, PASSWORD_AND_CODE, client)
        except ServiceError as refused:
            # After another error than a wrong code the first step has to be taken again.
            again = mfa_token if refused.status != 401 else None
            return replace(page, mfa_token=again, error=refused)

    async def log_in_with_passkey(
        self, request: str, browser: str, token: str, answer: str, client: Client
    ) -> LoginPage | WayBack:
        """``log_in`` with the answer of an authenticator to the page's offer, in JSON."""
        asked, page = await self._opened(request, browser, "")
        try:
            with attempt("passkey"):
                user = await self.passkeys.authenticated(token, _object(answer))
                return await self._code(asked, user, PASSKEY, client)
        except ServiceError as refused:
            return replace(page, error=refused)

    async def _opened(self, request: str, browser: str, email: str) -> tuple[AuthorizationRequest, LoginPage]:
        asked = opened_request(self.vault, request, browser)
        client = await self.clients.find(asked.client_id) if asked else None
        if asked is None or client is None or asked.redirect_uri not in client.redirect_uris:
            raise LoginPageExpired
        return asked, self._page(client, request, asked, email)

    async def _code(
        self, asked: AuthorizationRequest, user: User, amr: Sequence[str], client: Client, *, failures: int = 0
    ) -> WayBack:
        back = {"state": asked.state, "iss": self.issuer}
        if asked.second_factor and "mfa" not in amr:
            why = "the account has no second factor"
            answer = {"error": "unmet_authentication_requirements", "error_description": why}
            return WayBack(redirect_to(asked.redirect_uri, **answer, **back))
        code = secrets.token_urlsafe(32)
        async with self.login.entering(user, client, failures=failures) as change:
            await code_repository.insert(change.db, digest(code), asked, user, amr, _CODE_LIFE)
            session = await self.browsers.begin(change.db, user, amr)
        return WayBack(redirect_to(asked.redirect_uri, code=code, **back), session)


def _object(text: str) -> dict[str, Any]:
    """Return the JSON object in a text; raises ``PasskeyRefused`` for anything else."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise PasskeyRefused(reason="The answer of the authenticator cannot be read")
    return found
