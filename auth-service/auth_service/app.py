"""Composition root of auth-service."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial

from fastapi import FastAPI
from opentelemetry.sdk.trace import TracerProvider

from auth_service import __version__
from auth_service.accounts.administration import Administration
from auth_service.accounts.login import Accounts
from auth_service.accounts.password_reset import Recovery
from auth_service.accounts.registration import Registration
from auth_service.accounts.self_service import Profile
from auth_service.api import clients as routes_rotation
from auth_service.api import login as routes
from auth_service.api import me as routes_accounts
from auth_service.api import sessions as routes_sessions
from auth_service.api import tokens as routes_services
from auth_service.api import users as routes_admin
from auth_service.api.dependencies import Resources
from auth_service.audit.hash_chain import AuditChain
from auth_service.audit.recorder import Audit
from auth_service.audit.repository import AuditStore
from auth_service.credentials.api_keys import ApiKeys, LocalApiKeys
from auth_service.credentials.service_clients import ServiceClients
from auth_service.credentials.service_tokens import ServiceTokens
from auth_service.crypto.passwords import Passwords
from auth_service.crypto.vault import Vault
from auth_service.errors import OAuthError
from auth_service.fast_path.answers import FastPath
from auth_service.fast_path.protocol import fast_path_protocol
from auth_service.mail.outbox import Outbox
from auth_service.mail.sender import LogNotifier, SmtpNotifier
from auth_service.mfa.service import SecondFactor
from auth_service.revocations.service import Revocations
from auth_service.sessions.service import Sessions, SessionTimes
from auth_service.settings import AuthSettings
from auth_service.throttling.attempt_limits import AttemptLimits
from auth_service.tokens.issuer import TokenMinter, remembered
from auth_service.tokens.key_rotation import Rotation
from auth_service.tokens.signing_keys import SigningKeys
from auth_service.users.repository import AuthStore
from castor_chassis import ApiKeyVerifier, Chassis, KeySource, create_service, reveal
from castor_chassis.storage.migrations import check_migrated


def create_app(
    settings: AuthSettings,
    *,
    keys: KeySource | None = None,
    api_keys: ApiKeyVerifier | None = None,
    tracer_provider: TracerProvider | None = None,
) -> FastAPI:
    """Return the app; it verifies tokens and API keys with its own keys, not through itself."""
    signing_keys, local_keys = SigningKeys(), LocalApiKeys()
    fast_path = FastPath(settings.otel_traces_sampler_arg if settings.otel_exporter_otlp_endpoint else 0.0)
    app = create_service(
        settings,
        package="auth_service",
        version=__version__,
        summary="Who you are: users, sessions, API keys, service tokens, JWKS.",
        routers=[
            routes.router,
            routes_sessions.router,
            routes_rotation.router,
            routes_accounts.router,
            routes_admin.router,
            routes_services.router,
            routes_services.internal,
        ],
        start=partial(start, signing_keys, local_keys, fast_path),
        keys=keys or signing_keys,
        api_keys=api_keys or local_keys,
        tracer_provider=tracer_provider,
        http_protocol=partial(fast_path_protocol, fast_path),
    )
    app.add_exception_handler(OAuthError, routes_services.on_oauth_error)
    routes_services.document_service_tokens(app)
    return app


@asynccontextmanager
async def start(
    signing_keys: SigningKeys, local: LocalApiKeys, fast_path: FastPath, chassis: Chassis[AuthSettings]
) -> AsyncIterator[Resources]:
    """Build what the routes use, and begin to load the signing keys."""
    s = chassis.settings
    store, vault = AuthStore(chassis.postgres), Vault(s.key_encryption_secret.get_secret_value())
    audit = Audit(vault)
    minter = TokenMinter(
        signing_keys, chassis.in_thread, s.auth_issuer, s.user_audience, s.access_token_seconds,
        s.service_token_seconds, frozenset(s.mfa_required_roles.split()),
    )  # fmt: skip
    times = SessionTimes(timedelta(s.refresh_idle_days), timedelta(s.session_max_days), s.refresh_replay_seconds)
    revocations = Revocations(
        store, chassis.revoked, chassis.redis, issuer=s.auth_issuer, token_seconds=s.access_token_seconds
    )
    sessions = Sessions(store, minter, vault, audit, times, revocations)
    passwords = Passwords(s.password_memory_kib, s.password_passes, s.password_threads, s.password_queue)
    outbox = outbox_of(s, store, vault)
    accounts = Accounts(store, passwords, sessions, audit, AttemptLimits(s, vault, chassis.redis), outbox)
    local.keys = ApiKeys(store, audit, revocations, minter, s.max_api_keys)
    _spawn_workers(chassis, s, store, vault, signing_keys, accounts)
    clients = ServiceClients(store, audit)
    tokens, verifier = ServiceTokens(store, minter, audit, clients), chassis.gatekeeper.tokens
    chassis.revoked.on_add(signing_keys.forget)
    rotation = Rotation(store, chassis.in_thread, audit, revocations, s.rotation_times())
    chassis.spawn_under_lease("key_rotation", rotation.keep)
    fast_path.add("/internal/validate-token", partial(remembered, verifier))
    chain = AuditChain(AuditStore(chassis.postgres), vault, timedelta(days=s.audit_retention_days))
    chassis.spawn_under_lease("audit_seal", partial(chain.keep, s.audit_seal_seconds))
    parts = accounts, sessions, tokens, local.keys, signing_keys, verifier, revocations, clients
    yield Resources(
        *parts,
        s.jwks_cache_seconds,
        chain,
        registration=Registration(accounts, outbox, s.registration, s.registration_role),
        profile=Profile(accounts, outbox),
        recovery=Recovery(accounts, outbox),
        second_factor=SecondFactor(accounts, outbox, vault, minter.needing_factor),
        administration=Administration(accounts, outbox),
    )
    outbox.notifier.close()
    passwords.close()


def _spawn_workers(
    chassis: Chassis[AuthSettings],
    s: AuthSettings,
    store: AuthStore,
    vault: Vault,
    signing_keys: SigningKeys,
    accounts: Accounts,
) -> None:
    gate, offload, once_migrated = (
        chassis.health.gate("signing_keys"),
        chassis.in_thread,
        partial(_once_migrated, chassis),
    )
    email, password = s.bootstrap_admin_email, reveal(s.bootstrap_admin_password)
    if email is not None and password is not None:
        chassis.spawn("administrator", once_migrated(lambda: accounts.ensure_administrator(email, password)))
    keep_keys = partial(signing_keys.keep, store, vault, offload, gate, s.keys_refresh_seconds)
    chassis.spawn("signing_keys", once_migrated(keep_keys))
    revocations = accounts.sessions.revocations
    chassis.spawn("revocations", once_migrated(revocations.keep))
    alone = {
        "session_sweep": accounts.sessions.sweep,
        "revocation_sweep": revocations.sweep,
        "outbox": accounts.outbox.work,
    }
    for name, work in alone.items():
        chassis.spawn_under_lease(name, work)


def outbox_of(s: AuthSettings, store: AuthStore, vault: Vault) -> Outbox:
    """Return the outbox with the notifier that the settings name."""
    url = reveal(s.smtp_url) if s.notifier == "smtp" else None
    smtp = url is not None and SmtpNotifier(url, s.mail_from, s.smtp_ca_file, s.smtp_timeout_seconds)
    return Outbox(
        store, vault, smtp or LogNotifier(), timedelta(hours=s.registration_hours), timedelta(minutes=s.reset_minutes)
    )


def _once_migrated(
    chassis: Chassis[AuthSettings], work: Callable[[], Awaitable[None]]
) -> Callable[[], Awaitable[None]]:
    async def run() -> None:
        await check_migrated(chassis.postgres, chassis.package)
        await work()

    return run
