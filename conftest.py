"""Fixtures that every suite of this repository may use."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from castor_chassis.testing import Authority, TokenIssuer

pytest_plugins = ["castor_devstack.testing"]


@pytest.fixture(scope="session")
def authority() -> Authority:
    """A certificate authority in memory; ``authority.write(folder, service)`` issues a leaf."""
    # Imported late: the chassis takes a second to import, and not every suite needs it.
    from castor_chassis.testing import Authority

    return Authority.create()


@pytest.fixture(scope="session")
def issuer() -> TokenIssuer:
    """Signs tokens as auth-service does, and is the key source that verifies them."""
    from castor_chassis.testing import TokenIssuer

    return TokenIssuer()
