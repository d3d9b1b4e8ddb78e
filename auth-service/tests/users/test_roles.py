"""Roles and their scopes."""

from __future__ import annotations

from functools import partial

from auth_service.users.roles import ROLE_SCOPES, Role, Scope, scopes_held, scopes_of


def test_roles_are_ordered_from_viewer_to_admin() -> None:
    """Each role has all that the lesser one has, and the administrator has everything."""
    viewer, observer, analyst, admin = (
        ROLE_SCOPES[role] for role in (Role.VIEWER, Role.OBSERVER, Role.ANALYST, Role.ADMIN)
    )
    assert viewer < observer < analyst < admin == frozenset(Scope)
    assert analyst == admin - {Scope.USERS_ADMIN, Scope.ORGANISATIONS_ADMIN, Scope.FEED_READ}


def test_only_the_default_organisation_manages_organisations() -> None:
    """An administrator of another has every scope but that one."""
    held = partial(scopes_held, [Role.ADMIN], mfa_used=True, mfa_required=frozenset())
    assert held("default") - held("alpha") == {Scope.ORGANISATIONS_ADMIN}


def test_unknown_role_gives_nothing() -> None:
    """A role that was taken out of the table leaves its holders without scopes, not with an error."""
    assert scopes_of(["emperor"]) == frozenset()
    assert scopes_of(["emperor", "viewer"]) == {
        "account:manage", "counts:read", "trends:read", "forecasts:read"
    }  # fmt: skip
