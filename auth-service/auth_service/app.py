"""Composition root of auth-service."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from fastapi import FastAPI
from opentelemetry.sdk.trace import TracerProvider

from auth_service import __version__
from auth_service.api import TAGS, audit
from auth_service.api.dependencies import Resources
from auth_service.api.oidc.authorize import install_browser_errors
from auth_service.api.routers import ROUTERS
from auth_service.api.tokens import document_service_tokens, on_oauth_error
from auth_service.credentials.api_keys import ApiKeys, LocalApiKeys
from auth_service.errors import OAuthError
from auth_service.fast_path.answers import FastPath
from auth_service.fast_path.protocol import fast_path_protocol
from auth_service.settings import AuthSettings
from auth_service.tokens.signing_keys import SigningKeys
from auth_service.tokens.validation import validate_from_memory
from auth_service.wiring.resources import build_resources
from auth_service.wiring.shared import build_shared
from auth_service.wiring.workers import spawn_workers
from castor_chassis import ApiKeyVerifier, Chassis, KeySource, create_service


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
        routers=ROUTERS,
        tags=TAGS,
        start=partial(start, signing_keys, local_keys, fast_path),
        slow_paths={audit.AUDIT_PATH: settings.audit_export_timeout_seconds},
        keys=keys or signing_keys,
        api_keys=api_keys or local_keys,
        tracer_provider=tracer_provider,
        http_protocol=partial(fast_path_protocol, fast_path),
    )
    app.add_exception_handler(OAuthError, on_oauth_error)
    install_browser_errors(app)
    document_service_tokens(app)
    return app


@asynccontextmanager
async def start(
    signing_keys: SigningKeys, local_keys: LocalApiKeys, fast_path: FastPath, chassis: Chassis[AuthSettings]
) -> AsyncIterator[Resources]:
    """Build what the routes use, and start the background work."""
    settings, verifier = chassis.settings, chassis.authenticator.tokens
    settings.check_notifier()
    shared = build_shared(chassis, signing_keys)
    parts = shared.postgres, shared.audit, shared.revocations, shared.issuer, shared.outbox
    local_keys.keys = ApiKeys(*parts, settings.max_api_keys)
    resources = build_resources(settings, shared, signing_keys, local_keys.keys, verifier)
    chassis.revoked.on_add(signing_keys.forget)
    fast_path.add("/internal/validate-token", partial(validate_from_memory, verifier))
    spawn_workers(chassis, shared, signing_keys, resources.audit_chain)
    yield resources
    await shared.close()
