"""Authentication context classes: how sure it is who began a session."""

from __future__ import annotations

from collections.abc import Sequence

SECOND_FACTOR = "aal2"
"""``acr`` of a login with two factors: authenticator assurance level 2 of NIST SP 800-63B."""
SINGLE_FACTOR = "aal1"


def acr_of(amr: Sequence[str]) -> str:
    """Return the authentication context class of a login by the methods ``amr`` (RFC 8176)."""
    return SECOND_FACTOR if "mfa" in amr else SINGLE_FACTOR
