"""Roles and their scopes."""

from __future__ import annotations

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
    assert scopes_of(["emperor", "viewer"]) == {
        "account:manage", "counts:read", "trends:read", "forecasts:read"
    }  # fmt: skip
