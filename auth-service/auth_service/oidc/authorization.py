"""The login page's work: who logs in, and the code that the client gets for it."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from auth_service.accounts.login import Login
from auth_service.crypto.digests import digest
from auth_service.crypto.vault import Vault
from auth_service.errors import LoginPageExpired, MfaRequired
from auth_service.metrics import attempt
from auth_service.mfa.service import Mfa
from auth_service.oidc import code_repository
from auth_service.oidc.clients import OidcClients
from auth_service.oidc.model import AuthorizationRequest, OidcClient
from auth_service.oidc.requests import RequestReader, opened_request, redirect_to, sealed_request
from auth_service.sessions.service import PASSWORD, PASSWORD_AND_CODE
from auth_service.users.client import Client
from auth_service.users.model import User
from castor_chassis import ServiceError

CODE_SECONDS = 60


@dataclass(frozen=True, slots=True)
class LoginPage:
    """What the browser is shown: a form for the password, or for the MFA code."""

    client: OidcClient
    request: str
    """The sealed request, which the form sends back."""
    redirect_uri: str
    email: str = ""
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

    async def page(self, parameters: Iterable[tuple[str, str]], browser: str) -> LoginPage:
        """Return the page for an authorization request; raises ``AuthorizationRefused``."""
        reader = RequestReader.of(self.issuer, parameters)
        client = await self.clients.find(reader.given.get("client_id", ""))
        asked = reader.request_of(client)
        assert client is not None
        sealed = sealed_request(self.vault, asked, browser)
        return LoginPage(client, sealed, asked.redirect_uri, asked.login_hint or "")

    async def log_in(self, request: str, browser: str, email: str, password: str, client: Client) -> LoginPage | str:
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
    ) -> LoginPage | str:
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

    async def _opened(self, request: str, browser: str, email: str) -> tuple[AuthorizationRequest, LoginPage]:
        asked = opened_request(self.vault, request, browser)
        client = await self.clients.find(asked.client_id) if asked else None
        if asked is None or client is None or asked.redirect_uri not in client.redirect_uris:
            raise LoginPageExpired
        return asked, LoginPage(client, request, asked.redirect_uri, email)

    async def _code(
        self, asked: AuthorizationRequest, user: User, amr: Sequence[str], client: Client, *, failures: int = 0
    ) -> str:
        back = {"state": asked.state, "iss": self.issuer}
        if asked.second_factor and "mfa" not in amr:
            why = "the account has no second factor"
            answer = {"error": "unmet_authentication_requirements", "error_description": why}
            return redirect_to(asked.redirect_uri, **answer, **back)
        code = secrets.token_urlsafe(32)
        async with self.login.entering(user, client, failures=failures) as change:
            await code_repository.insert(change.db, digest(code), asked, user, amr, timedelta(seconds=CODE_SECONDS))
        return redirect_to(asked.redirect_uri, code=code, **back)
