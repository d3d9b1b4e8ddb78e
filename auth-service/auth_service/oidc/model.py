"""Records of OpenID Connect: a client, its request, and a login that it may collect."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class OidcClient:
    """A frontend that may ask for logins. It is public: it has no secret, and proves itself by PKCE (RFC 7636)."""

    id: str
    name: str
    redirect_uris: tuple[str, ...]
    """Where codes may be sent to; compared letter by letter."""
    logout_uris: tuple[str, ...]
    """Where a browser may be sent to after a logout; compared letter by letter."""
    scopes: tuple[str, ...]
    """The most that its sessions may do, of what the user may."""
    created_at: datetime | None = None
    """None for the console, which is made from the settings."""


@dataclass(frozen=True, slots=True)
class AuthorizationRequest:
    """A valid request for a login (OpenID Connect Core section 3.1.2.1)."""

    client_id: str
    redirect_uri: str
    scopes: tuple[str, ...]
    challenge: str
    """SHA-256 of the verifier that the client will show, base64url."""
    state: str | None = None
    nonce: str | None = None
    login_hint: str | None = None
    language: str = "es"
    """Of the login page: the first of ``ui_locales`` that it has."""
    second_factor: bool = False
    """Whether ``acr_values`` asks for ``assurance.SECOND_FACTOR``."""


@dataclass(frozen=True, slots=True)
class CollectableLogin:
    """What a code stands for."""

    client_id: str
    redirect_uri: str
    challenge: str
    nonce: str | None
    scopes: tuple[str, ...]
    user_id: uuid.UUID
    amr: tuple[str, ...]
    auth_time: datetime
    made_under: datetime
    """``credentials_changed_at`` of the account at the login."""
    expired: bool
    session_id: uuid.UUID | None
    """The session that it was exchanged for; None: not used yet."""
