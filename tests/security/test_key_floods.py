"""Invented key ids do not become a flood of key set fetches."""

from __future__ import annotations

import secrets
import time

import pytest
from prometheus_client import REGISTRY

from castor_chassis import Unauthenticated
from tests.security.conftest import Endpoints
from tests.security.forge import Forge, b64, text_of

pytestmark = pytest.mark.asyncio(loop_scope="module")


def fetched() -> float:
    """Return how many answers auth-service has given on its key set."""
    labels = {"method": "GET", "route": "/v1/auth/jwks", "status": "200"}
    return REGISTRY.get_sample_value("castor_http_request_duration_seconds_count", labels) or 0.0


def _head(forge: Forge) -> str:
    return b64(text_of({**forge.header, "kid": secrets.token_urlsafe(12)}))


async def test_10_000_random_kids_cause_at_most_one_fetch_in_ten_seconds(endpoints: Endpoints, forge: Forge) -> None:
    """A peer that is shown 10,000 kids that nobody has asks auth-service once per ten seconds at most."""
    assert await endpoints.scoring(forge.signed())
    verifier = endpoints.peer.pair.chassis.authenticator.tokens
    before, started = fetched(), time.monotonic()
    _, payload, signature = forge.parts()
    for _ in range(10_000):
        with pytest.raises(Unauthenticated):
            await verifier.verify(f"{_head(forge)}.{payload}.{signature}", None)
    for _ in range(100):
        assert not await endpoints.scoring(f"{_head(forge)}.{payload}.{signature}")
    took, fetches = time.monotonic() - started, fetched() - before
    print(f"\n10,100 random kids in {took:.1f} s: {fetches:.0f} fetches")
    assert fetches <= 1 + took / 10
    assert await endpoints.scoring(forge.signed())
