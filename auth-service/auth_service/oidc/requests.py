"""Reads authorization requests (OpenID Connect Core section 3.1.2, RFC 7636, RFC 9207)."""

from __future__ import annotations

import base64
import json
import re
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import urlencode

from auth_service.crypto.vault import Vault
from auth_service.oidc.model import AuthorizationRequest, OidcClient
from auth_service.tokens.assurance import SECOND_FACTOR
from auth_service.tokens.issuer import IDENTITY_SCOPES
from auth_service.users.model import normal_email

PAGE_SECONDS = 600
"""How long somebody may take to log in."""
LANGUAGES = ("es", "en")
"""Of the login page, the first where the request asks for no other."""
_PURPOSE = "oidc request"
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
_SECONDS = re.compile(r"[0-9]{1,9}")
_UNSUPPORTED = {"request": "request_not_supported", "request_uri": "request_uri_not_supported"}


def language_of(ui_locales: str, accept_language: str = "") -> str:
    """Return one of ``LANGUAGES``: the first in ``ui_locales``, separated by spaces, else in Accept-Language."""
    accepted = (part.partition(";")[0].strip() for part in accept_language.split(","))
    asked = (tag.split("-")[0].lower() for tag in (*ui_locales.split(), *accepted))
    return next((language for language in asked if language in LANGUAGES), LANGUAGES[0])


class AuthorizationRefused(Exception):
    """A request that is refused; ``redirect`` is where the client learns of it, None: only the browser does."""

    def __init__(self, code: str, description: str, redirect: str | None = None) -> None:
        super().__init__(description)
        self.code = code
        self.description = description
        self.redirect = redirect


def redirect_to(uri: str, **parameters: str | None) -> str:
    """Return ``uri`` with parameters added to its query; those that are None are left out."""
    given = {name: value for name, value in parameters.items() if value is not None}
    return f"{uri}{'&' if '?' in uri else '?'}{urlencode(given)}" if given else uri


@dataclass(frozen=True)
class RequestReader:
    """Reads one request; ``issuer`` is told to the client with every answer, so that it cannot mix up two providers."""

    issuer: str
    given: dict[str, str]

    @classmethod
    def of(cls, issuer: str, parameters: Iterable[tuple[str, str]]) -> RequestReader:
        """Return a reader; raises ``AuthorizationRefused`` for a parameter that is repeated or has odd characters."""
        pairs = list(parameters)
        repeated = [name for name, count in Counter(name for name, _ in pairs).items() if count > 1]
        if repeated:
            raise AuthorizationRefused("invalid_request", f"the parameter {repeated[0][:40]} is given more than once")
        odd = [name for name, value in pairs if not value.isprintable() or len(value) > 2048]
        if odd:
            raise AuthorizationRefused("invalid_request", f"the parameter {odd[0][:40]} cannot be read")
        return cls(issuer, dict(pairs))

    def request_of(self, client: OidcClient | None) -> AuthorizationRequest:
        """Return the request of ``client``; raises ``AuthorizationRefused``."""
        if client is None:
            raise AuthorizationRefused("invalid_client", "the client is not registered")
        uri = self.given.get("redirect_uri", "")
        if uri not in client.redirect_uris:
            raise AuthorizationRefused("invalid_request", "the redirect URI is not registered for this client")
        self._check_kind()
        scopes = self._scopes(client)
        return AuthorizationRequest(
            client_id=client.id,
            redirect_uri=uri,
            scopes=scopes,
            challenge=self._challenge(),
            state=self.given.get("state"),
            nonce=self.given.get("nonce"),
            login_hint=self.given.get("login_hint"),
            language=language_of(self.given.get("ui_locales", "")),
            second_factor=SECOND_FACTOR in self.given.get("acr_values", "").split(),
        )

    @property
    def _prompts(self) -> set[str]:
        return set(self.given.get("prompt", "").split())

    @property
    def is_silent(self) -> bool:
        """Whether nothing may be shown: the browser goes back with a code, or with ``login_required``."""
        return "none" in self._prompts

    def is_satisfied_by(self, email: str, amr: Sequence[str], age_seconds: float) -> bool:
        """Return whether a login of this browser will do: whose it is, by ``amr`` and ``age_seconds`` ago."""
        hint = self.given.get("login_hint")
        if self._prompts - {"none"} or (hint and normal_email(hint) != email):
            return False
        is_recent = "max_age" not in self.given or age_seconds < int(self.given["max_age"])
        return is_recent and (SECOND_FACTOR not in self.given.get("acr_values", "").split() or "mfa" in amr)

    def refused(self, code: str, description: str) -> AuthorizationRefused:
        """Return a refusal that the client learns of; its redirect URI has been found to be registered."""
        answer = {"error": code, "error_description": description, "state": self.given.get("state"), "iss": self.issuer}
        return AuthorizationRefused(code, description, redirect_to(self.given["redirect_uri"], **answer))

    def _check_kind(self) -> None:
        for name, code in _UNSUPPORTED.items():
            if name in self.given:
                raise self.refused(code, f"the parameter {name} is not supported")
        if self.given.get("response_type") != "code":
            raise self.refused("unsupported_response_type", "response_type must be code")
        if self.given.get("response_mode", "query") != "query":
            raise self.refused("invalid_request", "response_mode must be query")
        if self.is_silent and len(self._prompts) > 1:
            raise self.refused("invalid_request", "prompt=none stands alone")
        if not _SECONDS.fullmatch(self.given.get("max_age", "0")):
            raise self.refused("invalid_request", "max_age must be a number of seconds")

    def _challenge(self) -> str:
        challenge = self.given.get("code_challenge", "")
        if self.given.get("code_challenge_method") != "S256" or not _CHALLENGE.fullmatch(challenge):
            raise self.refused("invalid_request", "PKCE is required: code_challenge with code_challenge_method=S256")
        return challenge

    def _scopes(self, client: OidcClient) -> tuple[str, ...]:
        asked = self.given.get("scope", "").split()
        if "openid" not in asked:
            raise self.refused("invalid_scope", "scope must contain openid")
        lacking = sorted(set(asked) - IDENTITY_SCOPES - set(client.scopes))
        if lacking:
            raise self.refused("invalid_scope", f"the client may not ask for {' '.join(lacking)[:200]}")
        return tuple(dict.fromkeys(asked))


def sealed_request(vault: Vault, asked: AuthorizationRequest, browser: str) -> str:
    """Return ``asked`` as a text that only this service can make, for one browser and ``PAGE_SECONDS``."""
    claims = {**asdict(asked), "browser": vault.blind(browser), "exp": time.time() + PAGE_SECONDS}
    return base64.urlsafe_b64encode(vault.seal_text(_PURPOSE, json.dumps(claims))).decode().rstrip("=")


def opened_request(vault: Vault, text: str, browser: str) -> AuthorizationRequest | None:
    """Return the request in a sealed text; None if it has expired, was made for another browser, or not here."""
    try:
        sealed = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except ValueError:
        return None
    opened = vault.unseal_text(_PURPOSE, sealed)
    claims: dict[str, Any] = json.loads(opened) if opened is not None else {"exp": 0}
    if claims.pop("exp") <= time.time() or claims.pop("browser") != vault.blind(browser):
        return None
    return AuthorizationRequest(**{**claims, "scopes": tuple(claims["scopes"])})
