"""Builds the services that the routes call."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urlsplit

from auth_service.accounts.administration import Administration
from auth_service.accounts.email_change import EmailChange
from auth_service.accounts.login import Login
from auth_service.accounts.password_reset import PasswordReset
from auth_service.accounts.registration import Registration
from auth_service.accounts.self_service import SelfService
from auth_service.api.dependencies import Resources
from auth_service.api.oidc.discovery import TOKEN_PATH
from auth_service.audit.service import AuditChain
from auth_service.credentials.api_keys import ApiKeys
from auth_service.credentials.service_clients import ServiceClients
from auth_service.credentials.service_tokens import ServiceTokens
from auth_service.mfa.service import Mfa
from auth_service.oidc.authorization import Authorization
from auth_service.oidc.clients import OidcClients, console_client
from auth_service.oidc.id_tokens import IdTokens
from auth_service.oidc.tokens import ClientTokenEndpoint
from auth_service.organisations.service import Organisations
from auth_service.passkeys.service import Passkeys
from auth_service.service_accounts.service import ServiceAccounts
from auth_service.service_accounts.tokens import ServiceAccountTokens
from auth_service.sessions.browser_sessions import BrowserSessions
from auth_service.settings import AuthSettings
from auth_service.tokens.retired_keys import KeysOfHints
from auth_service.tokens.signing_keys import SigningKeys
from auth_service.users.saved_views import SavedViews
from auth_service.wiring.shared import SharedServices, mfa_required_roles, registration_lifetime
from castor_chassis import TokenVerifier
from castor_chassis.security.rate_limit import limiter_of


def build_resources(
    s: AuthSettings, f: SharedServices, signing_keys: SigningKeys, api_keys: ApiKeys, verifier: TokenVerifier
) -> Resources:
    """Return the services of the routes."""
    login = Login(f.postgres, f.users, f.passwords, f.limits, f.vault, f.audit, f.sessions, f.changes, f.summaries)
    service_clients = ServiceClients(f.postgres, f.audit)
    mfa = Mfa(f.postgres, f.users, login, f.limits, f.vault, f.audit, f.changes, mfa_required_roles(s))
    oidc_clients = OidcClients(f.postgres, f.audit, console_client(s.console_redirect_uris, s.auth_issuer))
    browsers = BrowserSessions(f.postgres, timedelta(hours=s.browser_session_hours))
    hints = KeysOfHints(signing_keys, f.postgres, f.vault, f.issuer.offload)
    id_tokens = IdTokens(f.issuer, hints, oidc_clients, f.changes, browsers)
    passkeys = _passkeys(s, f, login)
    return Resources(
        users=f.users,
        login=login,
        registration=_registration(s, f),
        self_service=SelfService(login, f.passwords, f.changes),
        saved_views=SavedViews(f.postgres),
        password_reset=PasswordReset(f.postgres, f.passwords, f.limits, f.vault, f.changes, f.summaries),
        email_change=EmailChange(f.postgres, login, f.limits, f.changes),
        mfa=mfa,
        administration=Administration(f.changes),
        sessions=f.sessions,
        api_keys=api_keys,
        service_clients=service_clients,
        service_tokens=ServiceTokens(f.postgres, f.issuer, service_clients, f.summaries, verifier, api_keys),
        service_accounts=ServiceAccounts(f.postgres, f.audit, f.revocations, f.issuer),
        service_account_tokens=_service_account_tokens(s, f),
        signing_keys=signing_keys,
        verifier=verifier,
        revocations=f.revocations,
        audit_chain=AuditChain(f.postgres, f.vault, timedelta(days=s.audit_retention_days)),
        organisations=Organisations(f.postgres, f.audit, f.changes),
        passkeys=passkeys,
        oidc_clients=oidc_clients,
        authorization=Authorization(oidc_clients, login, mfa, f.vault, s.auth_issuer, passkeys, browsers),
        client_tokens=ClientTokenEndpoint(f.postgres, oidc_clients, f.changes, f.sessions, id_tokens),
        id_tokens=id_tokens,
        jwks_cache_seconds=s.jwks_cache_seconds,
        account_readers=frozenset(s.account_readers.split()),
    )


def _service_account_tokens(s: AuthSettings, f: SharedServices) -> ServiceAccountTokens:
    limiter = limiter_of(s, s.service_account_rate_limit, "service_account")
    audiences = frozenset({s.auth_issuer, f"{s.auth_issuer}{TOKEN_PATH}"})
    return ServiceAccountTokens(f.postgres, f.issuer, f.summaries, limiter, audiences)


def _passkeys(s: AuthSettings, f: SharedServices, login: Login) -> Passkeys:
    host, origins = urlsplit(s.auth_issuer).hostname or "localhost", [s.auth_issuer, *s.passkey_origins.split()]
    return Passkeys(f.postgres, f.users, login, f.changes, f.sessions, f.vault, host, origins)


def _registration(s: AuthSettings, f: SharedServices) -> Registration:
    return Registration(
        f.postgres,
        f.passwords,
        f.limits,
        f.vault,
        f.sessions,
        f.changes,
        f.summaries,
        mode=s.registration,
        role=s.registration_role,
        lifetime=registration_lifetime(s),
    )
