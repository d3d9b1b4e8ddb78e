"""All routers of the service."""

from __future__ import annotations

from auth_service.api import (
    api_keys,
    audit,
    internal,
    login,
    me,
    mfa,
    passkeys,
    recovery,
    registration,
    sessions,
    tokens,
    users,
)
from auth_service.api.oidc import authorize, discovery, token
from auth_service.api.oidc import clients as oidc_clients
from auth_service.api.platform import clients, organisations, service_accounts

_MODULES = registration, login, recovery, me, mfa, passkeys, sessions, api_keys, users, audit, tokens, internal
_PLATFORM = organisations, clients, service_accounts
_OIDC = discovery, authorize, token, oidc_clients
ROUTERS = [module.router for module in (*_MODULES, *_PLATFORM, *_OIDC)]
