"""The scopes that a service is granted at another. This is the only table of them."""

from __future__ import annotations

from collections.abc import Mapping

from auth_service.errors import InvalidGrant, InvalidScope
from auth_service.users.roles import Scope

GRANTS: Mapping[str, Mapping[str, frozenset[Scope]]] = {
    "twitter-service": {"sentiment-service": frozenset({Scope.SENTIMENT_ANALYZE})},
    "trending-service": {
        "twitter-service": frozenset({Scope.FEED_READ}),
        "rag-service": frozenset({Scope.DOCUMENTS_WRITE}),
    },
    "rag-service": {
        "twitter-service": frozenset({Scope.FEED_READ}),
        "openai-service": frozenset({Scope.LLM_USE}),
    },
    "forecast-service": {
        "rag-service": frozenset({Scope.DOCUMENTS_WRITE}),
        "twitter-service": frozenset({Scope.COUNTS_READ}),
        "trending-service": frozenset({Scope.TRENDS_READ}),
    },
}

CALLERS = tuple(sorted(GRANTS))
AUDIENCES = tuple(sorted({audience for grants in GRANTS.values() for audience in grants}))


def granted(caller: str, audience: str, requested: str) -> frozenset[str]:
    """Return the scopes that ``caller`` gets at ``audience``: all of its grant, or the ``requested`` ones.

    ``requested`` is space separated; empty means all. Raises ``InvalidGrant`` when the table has no such
    edge and ``InvalidScope`` when more is requested than it grants.
    """
    grant = GRANTS.get(caller, {}).get(audience)
    if grant is None:
        raise InvalidGrant(f"{caller} has no grant for the audience {audience[:80]!r}")
    scopes = frozenset(requested.split())
    if scopes - grant:
        raise InvalidScope(f"{caller} is granted only '{' '.join(sorted(grant))}' at {audience}")
    return scopes or frozenset(str(scope) for scope in grant)
