"""Roles, grants and the password policy."""

from __future__ import annotations

import pytest

from auth_service.crypto.password_policy import why_weak
from auth_service.errors import InvalidGrant, InvalidScope
from auth_service.tokens.grants import GRANTS, granted
from auth_service.users.roles import ROLE_SCOPES, Role, Scope, scopes_of


def test_roles_are_ordered_from_viewer_to_admin() -> None:
    """Each role has all that the lesser one has, and the administrator has everything."""
    viewer, observer, analyst, admin = (
        ROLE_SCOPES[role] for role in (Role.VIEWER, Role.OBSERVER, Role.ANALYST, Role.ADMIN)
    )
    assert viewer < observer < analyst < admin == frozenset(Scope)
    assert analyst == admin - {Scope.USERS_ADMIN, Scope.FEED_READ}


def test_unknown_role_gives_nothing() -> None:
    """A role that was taken out of the table leaves its holders without scopes, not with an error."""
    assert scopes_of(["emperor"]) == frozenset()
    assert scopes_of(["emperor", "viewer"]) == {"account:manage", "trends:read", "forecasts:read"}


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


@pytest.mark.parametrize(
    "password",
    ["123456789", "1234567890", "Contraseña2026", "!!qwerty!!", "Petropresidente", "Password.123", "MEDELLIN 2024"],
)
def test_common_passwords_are_weak(password: str) -> None:
    """Common ones are found whatever their case and the digits and signs around them."""
    assert why_weak(password, "ana@example.com") is not None


@pytest.mark.parametrize("password", ["cuatro caballos lentos", "tR7#kkq0Zp", "0918273645x!", "ñandú-azul-42"])
def test_uncommon_passwords_pass(password: str) -> None:
    """There are no rules of composition: long and uncommon is enough."""
    assert why_weak(password, "ana@example.com") is None
