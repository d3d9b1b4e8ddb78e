"""What a service may do at another."""

from __future__ import annotations

import pytest

from auth_service.errors import InvalidGrant, InvalidScope
from auth_service.tokens.grants import GRANTS, granted
from auth_service.users.roles import Scope


def test_grants_follow_the_one_way_flow() -> None:
    """Nobody is granted itself, and no two services are granted each other."""
    edges = {(caller, audience) for caller, grants in GRANTS.items() for audience in grants}
    assert not any((audience, caller) in edges for caller, audience in edges)
    assert all(scopes for grants in GRANTS.values() for scopes in grants.values())


def test_services_get_no_scope_over_accounts() -> None:
    """No grant reaches one's own account, users or keys."""
    given = {scope for grants in GRANTS.values() for scopes in grants.values() for scope in scopes}
    assert not given & {Scope.ACCOUNT_MANAGE, Scope.USERS_ADMIN, Scope.KEYS_MANAGE}


def test_granted_scopes() -> None:
    """All of the grant, or the part that was asked for; never more, never another edge."""
    assert granted("rag-service", "openai-service", "") == {"llm:use"}
    assert granted("rag-service", "twitter-service", "feed:read") == {"feed:read"}
    with pytest.raises(InvalidScope, match="granted only 'feed:read'"):
        granted("rag-service", "twitter-service", "feed:read tweets:write")
    with pytest.raises(InvalidGrant, match="no grant"):
        granted("sentiment-service", "twitter-service", "")
