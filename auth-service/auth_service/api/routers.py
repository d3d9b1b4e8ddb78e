"""All routers of the service."""

from __future__ import annotations

from auth_service.api import (
    api_keys,
    audit,
    clients,
    internal,
    login,
    me,
    mfa,
    recovery,
    registration,
    sessions,
    tokens,
    users,
)

_MODULES = registration, login, recovery, me, mfa, sessions, api_keys, clients, users, audit, tokens, internal
ROUTERS = [module.router for module in _MODULES]
