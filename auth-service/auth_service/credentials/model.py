"""Records of API keys, passkeys and service clients."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime

from auth_service.users.model import User


@dataclass(frozen=True, slots=True)
class ApiKey:
    """An API key as its owner sees it."""

    id: str
    name: str
    scopes: tuple[str, ...]
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None


@dataclass(frozen=True, slots=True)
class HeldApiKey:
    """An API key in force, and whose it is."""

    key: ApiKey
    secret_hashes: list[bytes]
    """Of the secrets that are valid: the present one and, within the grace period, the one before."""
    owner: User


@dataclass(frozen=True, slots=True)
class Passkey:
    """A passkey as its owner sees it."""

    id: bytes
    name: str
    created_at: datetime
    last_used_at: datetime | None


@dataclass(frozen=True, slots=True)
class PublicKey:
    """What an answer of an authenticator is verified with."""

    user_id: uuid.UUID
    public_key: bytes
    sign_count: int


@dataclass(frozen=True, slots=True)
class AlsoEnded:
    """What a change of the password ends beside all sessions."""

    api_keys: bool = False
    passkeys: bool = False


@dataclass(frozen=True, slots=True)
class Remaining:
    """What opens an account beside its password."""

    api_keys: list[ApiKey]
    """In force, newest first."""
    passkeys: list[Passkey]
    """Oldest first."""


@dataclass(frozen=True, slots=True)
class ServiceClient:
    """A client of the token endpoint that has a secret."""

    id: str
    service: str
    created_at: datetime
    rotated_at: datetime | None
    last_used_at: datetime | None


@dataclass(frozen=True, slots=True)
class ClientSecrets:
    """The service that a client stands for, and the hashes of its valid secrets."""

    service: str
    hashes: list[bytes]
