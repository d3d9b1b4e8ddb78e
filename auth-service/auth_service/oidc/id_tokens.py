"""ID tokens (OpenID Connect Core section 2), and the end of a session by one (RP-Initiated Logout)."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from jose import JWTError, jwt

from auth_service.accounts.changes import AccountChanges
from auth_service.errors import LogoutRefused
from auth_service.oidc.clients import OidcClients
from auth_service.oidc.requests import redirect_to
from auth_service.sessions.browser_sessions import BrowserSessions
from auth_service.sessions.service import OpenSession
from auth_service.tokens.assurance import acr_of
from auth_service.tokens.issuer import TokenIssuer
from auth_service.tokens.retired_keys import KeysOfHints
from auth_service.tokens.signing_keys import ALGORITHM
from auth_service.users.client import Client
from auth_service.users.model import User

# A hint may have expired long ago, and its hashes of other tokens are of no interest.
_UNCHECKED = {f"verify_{claim}": False for claim in ("aud", "exp", "at_hash")}


def identity_claims(user: User, scopes: tuple[str, ...] | frozenset[str]) -> dict[str, Any]:
    """Return what ``scopes`` let a client know of ``user`` (OpenID Connect Core section 5.4)."""
    claims: dict[str, Any] = {}
    if "email" in scopes:
        claims |= {"email": user.email, "email_verified": user.email_verified_at is not None}
    if "profile" in scopes:
        names = {"given_name": user.first_name, "family_name": user.last_name}
        claims |= {name: value for name, value in names.items() if value}
        claims |= {"updated_at": int(user.updated_at.timestamp())}
    return claims


@dataclass(frozen=True)
class IdTokens:
    """Issues ID tokens, and ends the sessions that they name."""

    issuer: TokenIssuer
    keys: KeysOfHints
    clients: OidcClients
    changes: AccountChanges
    browsers: BrowserSessions

    async def issue(self, user: User, session: OpenSession, nonce: str | None = None) -> str:
        """Return an ID token of a client's session; ``nonce`` is that of its login, and belongs in its first only."""
        how, grant = session.authentication, session.grant
        if grant is None:
            raise ValueError("a session that no client began has no ID token")
        return await self.issuer.id_token(
            user,
            grant.client_id,
            sid=str(session.id),
            auth_time=int(how.at.timestamp()),
            amr=list(how.methods),
            acr=acr_of(how.methods),
            **({"nonce": nonce} if nonce is not None else {}),
            **identity_claims(user, grant.scopes),
        )

    async def log_out(
        self, hint: str, redirect_uri: str | None, state: str | None, browser_session: str | None, client: Client
    ) -> str | None:
        """End the session of the ID token ``hint``, and its user's single sign-on in this browser.

        Returns where the browser goes, None: nowhere.

        Raises ``LogoutRefused`` for a hint that is not ours, or a redirect URI that its client has not registered.
        """
        claims = await self._opened(hint)
        registered = await self.clients.find(claims["aud"])
        if redirect_uri is not None and (registered is None or redirect_uri not in registered.logout_uris):
            raise LogoutRefused(reason="The redirect URI after the logout is not registered for this client")
        async with self.changes.begin(claims["sub"], client) as change:
            await self.browsers.end(change.db, browser_session, claims["sub"])
            await change.end_session(claims["sid"], "logout")
        return None if redirect_uri is None else redirect_to(redirect_uri, state=state)

    async def _opened(self, hint: str) -> dict[str, Any]:
        try:
            kid = jwt.get_unverified_header(hint).get("kid")
            key = await self.keys.key(str(kid))
            if key is None:
                raise JWTError("unknown key")
            options = {"issuer": self.issuer.issuer, "options": _UNCHECKED}
            claims: dict[str, Any] = jwt.decode(hint, key, [ALGORITHM], **options)
        except JWTError as error:
            raise LogoutRefused(reason="id_token_hint is not an ID token of this provider") from error
        # An access token is none, although the same key signs it.
        if "token_use" in claims or not isinstance(claims.get("aud"), str) or not _is_id(claims.get("sid")):
            raise LogoutRefused(reason="id_token_hint is not an ID token of this provider")
        return claims


def _is_id(value: object) -> bool:
    try:
        return bool(uuid.UUID(str(value)))
    except ValueError:
        return False
