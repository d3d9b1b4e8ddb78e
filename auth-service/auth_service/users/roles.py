"""Roles of users, and the scopes that each gives. This is the only table of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum

DEFAULT_ORGANISATION = "default"
"""That of whoever registers, and of the platform: its administrators manage all organisations."""


class Scope(StrEnum):
    """Everything that can be allowed."""

    ACCOUNT_MANAGE = "account:manage"
    """One's own account: who am I. Every user has it, no service has."""
    TWEETS_READ = "tweets:read"
    TWEETS_WRITE = "tweets:write"
    ENTITIES_WRITE = "entities:write"
    FEED_READ = "feed:read"
    COUNTS_READ = "counts:read"
    SENTIMENT_ANALYZE = "sentiment:analyze"
    TRENDS_READ = "trends:read"
    WATCHES_WRITE = "watches:write"
    LLM_USE = "llm:use"
    DOCUMENTS_READ = "documents:read"
    DOCUMENTS_WRITE = "documents:write"
    RAG_QUERY = "rag:query"
    FORECASTS_READ = "forecasts:read"
    USERS_ADMIN = "users:admin"
    """The accounts of one's own organisation; in the default one: of all."""
    ORGANISATIONS_ADMIN = "organisations:admin"
    """Organisations, frontends and service clients. Only administrators of the default organisation have it."""
    KEYS_MANAGE = "keys:manage"


class Role(StrEnum):
    """What an account is for."""

    ADMIN = "admin"
    ANALYST = "analyst"
    OBSERVER = "observer"
    VIEWER = "viewer"


_VIEWER = frozenset({Scope.ACCOUNT_MANAGE, Scope.COUNTS_READ, Scope.TRENDS_READ, Scope.FORECASTS_READ})
_OBSERVER = _VIEWER | {
    Scope.TWEETS_READ,
    Scope.DOCUMENTS_READ,
    Scope.RAG_QUERY,
    Scope.SENTIMENT_ANALYZE,
}

ROLE_SCOPES: Mapping[str, frozenset[Scope]] = {
    Role.ADMIN: frozenset(Scope),
    Role.ANALYST: frozenset(Scope) - {Scope.USERS_ADMIN, Scope.ORGANISATIONS_ADMIN, Scope.FEED_READ},
    Role.OBSERVER: _OBSERVER,
    Role.VIEWER: _VIEWER,
}


def scopes_held(roles: Iterable[str], org: str, *, mfa_used: bool, mfa_required: frozenset[str]) -> frozenset[str]:
    """Return the scopes of a user of organisation ``org`` with ``roles``.

    Authenticated without MFA, whoever has one of the roles ``mfa_required`` holds only the scope that it takes to
    enable it.
    """
    held = list(roles)
    if not mfa_used and mfa_required.intersection(held):
        return frozenset({str(Scope.ACCOUNT_MANAGE)})
    return scopes_of(held) if org == DEFAULT_ORGANISATION else scopes_of(held) - {Scope.ORGANISATIONS_ADMIN}


def scopes_of(roles: Iterable[str]) -> frozenset[str]:
    """Return the scopes of all ``roles`` together; a role that is not in the table gives none."""
    return frozenset(str(scope) for role in roles for scope in ROLE_SCOPES.get(role, ()))
