"""Records of sessions."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Session:
    """One login on one device."""

    id: uuid.UUID
    created_at: datetime
    last_used_at: datetime
    expires_at: datetime
    user_agent: str


@dataclass(frozen=True, slots=True)
class Authentication:
    """How the user of a session was authenticated."""

    methods: tuple[str, ...]
    """Of RFC 8176."""
    at: datetime


@dataclass(frozen=True, slots=True)
class ClientGrant:
    """What an OpenID Connect client may do in a session that it began."""

    client_id: str
    scopes: tuple[str, ...]
