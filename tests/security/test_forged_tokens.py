"""No forged, replayed, confused or malformed token opens a door; the honest ones open theirs."""

from __future__ import annotations

import pytest

from tests.security.conftest import Doors, service_token
from tests.security.forge import Forge
from tests.security.forgeries import FORGERIES

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_honest_tokens_open_every_door(doors: Doors, forge: Forge) -> None:
    """The same hands that forge can sign honestly: so a door that is always shut would be noticed."""
    token = forge.signed()
    assert await doors.validate(token)
    assert await doors.account(token)
    assert await doors.scoring(token)
    assert await doors.scoring(forge.signed(forge.fresh_service()))
    assert await doors.scoring(await service_token(doors.auth.client, "sentiment-service"))
    assert await doors.scoring(forge.honest["api_key"])
    assert await doors.validate(forge.signed(forge.fresh(note="a claim that nobody knows")))


@pytest.mark.parametrize("name", FORGERIES)
async def test_forgery_opens_no_door(doors: Doors, forge: Forge, tally: dict[str, int], name: str) -> None:
    """Neither auth-service's judgement, nor its protected route, nor a peer's lets it in."""
    token = FORGERIES[name](forge)
    opened = {door: await getattr(doors, door)(token) for door in ("validate", "account", "scoring")}
    tally["forgeries"] += 1
    tally["attempts"] += len(opened)
    tally["accepted"] += sum(opened.values())
    assert not any(opened.values()), opened
