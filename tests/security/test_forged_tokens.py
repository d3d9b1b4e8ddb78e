"""No forged, replayed, confused or malformed token is accepted; honest ones are."""

from __future__ import annotations

import pytest

from tests.security.conftest import Endpoints, service_token
from tests.security.forge import Forge
from tests.security.forgeries import FORGERIES

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_honest_tokens_are_accepted_everywhere(endpoints: Endpoints, forge: Forge) -> None:
    """Tokens made by the same forge without a fault are accepted: an endpoint that refuses all would be noticed."""
    token = forge.signed()
    assert await endpoints.validate(token)
    assert await endpoints.account(token)
    assert await endpoints.scoring(token)
    assert await endpoints.scoring(forge.signed(forge.fresh_service()))
    assert await endpoints.scoring(await service_token(endpoints.auth.client, "sentiment-service"))
    assert await endpoints.scoring(forge.honest["api_key"])
    assert await endpoints.validate(forge.signed(forge.fresh(note="a claim that nobody knows")))


@pytest.mark.parametrize("name", FORGERIES)
async def test_no_forgery_is_accepted(endpoints: Endpoints, forge: Forge, tally: dict[str, int], name: str) -> None:
    """It is refused by the validation of auth-service, by a protected route of it and by one of another service."""
    token = FORGERIES[name](forge)
    accepted = {name: await getattr(endpoints, name)(token) for name in ("validate", "account", "scoring")}
    tally["forgeries"] += 1
    tally["attempts"] += len(accepted)
    tally["accepted"] += sum(accepted.values())
    assert not any(accepted.values()), accepted
