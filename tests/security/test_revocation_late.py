"""Peers that start late, and peers that lose auth-service."""

from __future__ import annotations

import pytest

from castor_chassis.testing import Authority
from tests.security.conftest import log_in, running_auth, running_peer
from tests.security.test_revocation import log_out, refused_after, score, until_source

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_auth_away_is_said_and_a_late_peer_learns_what_it_missed(
    authority: Authority, postgres_url: str, redis_url: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A peer that starts late knows what died before; with auth-service gone it says so and goes on verifying."""
    folder = tmp_path_factory.mktemp("late")
    async with running_auth(authority, postgres_url, redis_url, folder) as auth:
        dead, alive = await log_in(auth), await log_in(auth)
        await log_out(auth, dead)
        async with running_peer(authority, auth.url, redis_url, folder) as late:
            await refused_after(late, dead["tokens"]["access_token"])
            assert await score(late, alive["tokens"]["access_token"]) == 200
            auth.pair.stop()
            await until_source(late, "none")
            assert await score(late, alive["tokens"]["access_token"]) == 200
            assert await score(late, dead["tokens"]["access_token"]) == 401
