"""How a service verifies the credentials of its callers, as its settings say."""

from __future__ import annotations

import math
from collections.abc import Callable

from castor_chassis.client.peer import Peer
from castor_chassis.security.auth_client import JwksKeys, RemoteApiKeys
from castor_chassis.security.authorization import ApiKeyVerifier, Authenticator
from castor_chassis.security.caller_places import CallerPlaces
from castor_chassis.security.failed_authentications import FailedAuthentications
from castor_chassis.security.jwt import KeySource, TokenVerifier
from castor_chassis.security.rate_limit import limiter_of
from castor_chassis.security.revocation import RevocationList
from castor_chassis.settings import ServiceSettings

_SHARE_OF_CALLER = 0.25
"""Part of a service's places that one caller from outside can take; all of them together take three quarters."""


def build_authenticator(
    settings: ServiceSettings,
    revoked: RevocationList,
    auth: Callable[[str], Peer],
    keys: KeySource | None,
    api_keys: ApiKeyVerifier | None,
) -> Authenticator:
    """Return what turns credentials into principals; ``auth(purpose)`` is a client of auth-service of its own.

    ``keys`` and ``api_keys`` None: those of auth-service.
    """
    if keys is None:
        keys = fetched = JwksKeys(auth("auth-keys"), max_age_seconds=settings.jwks_max_age_seconds)
        revoked.on_add(fetched.forget)
    verifier = TokenVerifier(
        keys,
        issuer=settings.auth_issuer,
        service=settings.service_name,
        user_audience=settings.user_audience,
        revoked=revoked,
    )
    if api_keys is None:
        api_keys = RemoteApiKeys(auth("auth-api-keys"), revoked=revoked)
    only_from = settings.service_name if settings.user_tokens_from == "ingress" else None
    failures = FailedAuthentications(settings.failed_authentications)
    places = CallerPlaces(math.ceil(settings.max_concurrent_requests * _SHARE_OF_CALLER))
    limiter = limiter_of(settings, settings.rate_limit)
    return Authenticator(verifier, api_keys, limiter, failures, places, only_from)
