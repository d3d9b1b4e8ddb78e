"""Who calls: API keys are told from access tokens and checked by their form first."""

from __future__ import annotations

from typing import Any

import pytest

from castor_chassis.context import RequestInfo
from castor_chassis.security.authorization import Authenticator, Principal
from castor_chassis.security.failed_authentications import FailedAuthentications
from castor_chassis.wire.errors import Unauthenticated

GOOD = "castor_0123456789abcdef_" + "A" * 43


class Keys:
    """Remembers which keys it was asked about, and knows all of them."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def verify(self, key: str) -> Principal | None:
        """Return an owner."""
        self.asked.append(key)
        return Principal("api_key", "u1", frozenset({"trends:read"}))


@pytest.mark.parametrize(
    "key",
    ["castor_", "castor_x", GOOD[:-1], GOOD + "A", GOOD + "\n", GOOD.replace("abcdef", "ABCDEF"), GOOD[:-1] + "é"],
    ids=ascii,
)
async def test_an_impossible_key_is_refused_by_its_form(key: str) -> None:
    """A key that auth-service cannot have made is refused without asking it; a possible one is looked up."""
    keys, unused = Keys(), Any
    authenticator = Authenticator(unused, keys, unused, FailedAuthentications("60/minute"), unused)  # type: ignore[arg-type]
    with pytest.raises(Unauthenticated):
        await authenticator.principal(key, RequestInfo())
    assert keys.asked == []
    assert (await authenticator.principal(GOOD, RequestInfo())).subject == "u1"
    assert keys.asked == [GOOD]
