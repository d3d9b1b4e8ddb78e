"""Records of service accounts: the account, its credentials, and what a client proves itself with."""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass
from datetime import datetime

from auth_service.users.model import User
from auth_service.users.roles import Scope

ACCOUNT_ID = re.compile(r"castor-account-[0-9a-f]{12}")
MACHINE_SCOPES = frozenset(Scope) - {Scope.ACCOUNT_MANAGE, Scope.KEYS_MANAGE, Scope.ORGANISATIONS_ADMIN}
"""What a service account may have; the others are for people in person."""


@dataclass(frozen=True, slots=True)
class ServiceAccount:
    """A machine identity."""

    id: str
    """``client_id`` at the token endpoint, and ``sub`` of its tokens."""
    name: str
    owner_id: uuid.UUID | None
    """The user that it belongs to; None: it belongs to the organisation."""
    org: str
    """Its organisation, which is that of its owner at present."""
    scopes: tuple[str, ...]
    """The most that its tokens say."""
    created_at: datetime
    disabled_at: datetime | None
    is_active: bool
    """Whether it gets tokens: neither it nor its owner's account is closed."""


@dataclass(frozen=True, slots=True)
class Credential:
    """A secret or a public key of a service account, without either."""

    id: str
    kind: str
    """``secret`` or ``public_key``."""
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None


@dataclass(frozen=True, slots=True)
class HeldCredential:
    """What a client in force is verified with."""

    id: str
    secret_hash: bytes | None
    public_key: str | None
    """A JWK as JSON."""
    session_id: uuid.UUID
    """``sid`` of the tokens that it gets."""


@dataclass(frozen=True, slots=True)
class HeldAccount:
    """An active account with its owner and its credentials in force."""

    account: ServiceAccount
    owner: User | None
    credentials: list[HeldCredential]


@dataclass(frozen=True, slots=True)
class ClientProof:
    """What a client shows at the token endpoint; an absent parameter is empty."""

    client_id: str = ""
    client_secret: str = ""
    client_assertion_type: str = ""
    client_assertion: str = ""


@dataclass(frozen=True, slots=True)
class AccountToken:
    """A token and its scopes, space separated."""

    access_token: str
    expires_in: int
    """Seconds."""
    scope: str
