"""Records: an account, and what its owner says about themselves."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, fields
from datetime import datetime

from castor_chassis import ANY_TIME, TimeSpan


@dataclass(frozen=True, slots=True)
class Profile:
    """The fields of an account that its owner fills in."""

    first_name: str | None = None
    last_name: str | None = None
    phone: str | None = None
    campaign_role: str | None = None
    candidate_position: str | None = None
    whatsapp_number: str | None = None
    whatsapp_opt_in: bool = False


PROFILE_FIELDS = tuple(field.name for field in fields(Profile))


@dataclass(frozen=True, slots=True)
class User:
    """An account."""

    id: uuid.UUID
    email: str
    """Normalised: see ``normal_email``."""
    password_hash: str
    first_name: str | None
    last_name: str | None
    phone: str | None
    campaign_role: str | None
    candidate_position: str | None
    whatsapp_number: str | None
    whatsapp_opt_in: bool
    roles: tuple[str, ...]
    org: str
    """Organisation that it belongs to."""
    is_active: bool
    closed_reason: str | None
    mfa_enabled: bool
    """Whether a login by password takes a code as well."""
    has_second_factor: bool
    """Whether the account has a way to prove two factors: codes, or a passkey."""
    email_verified_at: datetime | None
    created_at: datetime
    updated_at: datetime
    credentials_changed_at: datetime
    """When password, address, second factor, roles or state changed last."""

    def has_credentials_of(self, other: User) -> bool:
        """Return whether none of these has changed between the two readings of the account."""
        return self.credentials_changed_at == other.credentials_changed_at


@dataclass(frozen=True, slots=True)
class Actor:
    """An administrator who acts."""

    id: str
    within: str | None
    """The only organisation whose accounts this one may see and change; None: all."""


@dataclass(frozen=True, slots=True)
class UserSearch:
    """Which accounts to list; None: any."""

    text: str | None = None
    """Part of the address or of the name."""
    role: str | None = None
    active: bool | None = None
    org: str | None = None
    before: tuple[datetime, uuid.UUID] | None = None
    """Creation time and id of the last account of the page before."""
    made: TimeSpan = ANY_TIME


def normal_email(email: str) -> str:
    """Return the form in which an address is stored and compared."""
    return email.strip().casefold()
