"""A session that ends is dead at every service within a second, whatever is away."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from auth_service.audit.recorder import Audit
from auth_service.crypto.vault import Vault
from auth_service.settings import AuthSettings
from auth_service.tokens.command import rotation_times
from auth_service.tokens.key_rotation import KeyRotation
from castor_chassis.client.transport import httpx
from castor_chassis.testing import Authority, RunningService
from tests.security.conftest import log_in, running_auth, running_peer

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pair(
    authority: Authority, postgres_url: str, redis_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[tuple[RunningService, RunningService]]:
    """auth-service and a peer that follows its revocations."""
    folder = tmp_path_factory.mktemp("revocation")
    async with running_auth(authority, postgres_url, redis_url, folder, database_timeout_seconds=2) as auth:
        async with running_peer(authority, auth.url, redis_url, folder) as peer:
            yield auth, peer


async def score(peer: RunningService, token: str) -> int:
    """Use the token at the peer."""
    headers = {"Authorization": f"Bearer {token}"}
    answer = await peer.client.post("/v1/sentiment/analyze", json={"texts": ["todo bien"]}, headers=headers)
    return answer.status_code


async def refused_after(peer: RunningService, token: str, patience_seconds: float = 20) -> float:
    """Return the seconds until the peer refuses the token."""
    started = time.monotonic()
    while await score(peer, token) != 401:
        assert time.monotonic() - started < patience_seconds, "the revoked token is accepted still"
        await asyncio.sleep(0.01)
    return time.monotonic() - started


async def log_out(auth: RunningService, session: dict[str, Any]) -> None:
    """End the session with its refresh token."""
    body = {"refresh_token": session["tokens"]["refresh_token"]}
    answer = await auth.client.post("/v1/auth/logout", json=body)
    assert answer.status_code == 200, answer.text


async def source(peer: RunningService) -> str:
    """Return where the peer says its revocations come from."""
    async with httpx.AsyncClient(trust_env=False) as plain:
        metrics = (await plain.get(f"{peer.management_url}/metrics")).text
    (said,) = re.findall(r'^castor_revocation_source\{source="(\w+)"\} 1\.0$', metrics, re.M) or ["unsaid"]
    return str(said)


async def until_source(peer: RunningService, wanted: str) -> None:
    """Wait until the peer says so."""
    end = time.monotonic() + 30
    while await source(peer) != wanted:
        assert time.monotonic() < end, f"the source of revocations did not become {wanted}: {await source(peer)}"
        await asyncio.sleep(0.05)


async def test_logged_out_token_is_refused_by_a_peer(pair: tuple[RunningService, RunningService]) -> None:
    """A verified and remembered token stops working at another service, which was not asked about it."""
    auth, peer = pair
    await until_source(peer, "push")
    session = await log_in(auth)
    spared = await log_in(auth)
    token = session["tokens"]["access_token"]
    assert await score(peer, token) == 200
    await log_out(auth, session)
    verdict = await auth.client.post("/internal/validate-token", json={"token": token})
    assert verdict.json() == {"valid": False, "reason": "The session of the token was ended"}
    print(f"\nrefused by the peer after {await refused_after(peer, token) * 1000:.0f} ms, pushed")
    assert await score(peer, spared["tokens"]["access_token"]) == 200


async def test_logout_everywhere_and_reuse_reach_the_peer_too(pair: tuple[RunningService, RunningService]) -> None:
    """Ending all sessions, ending one by its id, and reuse of a refresh token kill their access tokens everywhere."""
    auth, peer = pair
    stolen, named, other = [await log_in(auth) for _ in range(3)]
    refresh = {"refresh_token": stolen["tokens"]["refresh_token"]}
    assert (await auth.client.post("/v1/auth/refresh", json=refresh)).status_code == 200
    thief = await auth.client.post("/v1/auth/refresh", json=refresh, headers={"User-Agent": "thief"})
    assert thief.status_code == 401
    await refused_after(peer, stolen["tokens"]["access_token"])
    headers = {"Authorization": f"Bearer {other['tokens']['access_token']}"}
    listed = (await auth.client.get("/v1/auth/sessions", headers=headers)).json()["data"]["items"]
    (current,) = [item for item in listed if item["current"]]
    newest = next(item for item in listed if not item["current"])
    ended = await auth.client.delete(f"/v1/auth/sessions/{newest['id']}", headers=headers)
    assert ended.json()["data"] == {"ended": 1}
    await refused_after(peer, named["tokens"]["access_token"])
    everywhere = await auth.client.delete("/v1/auth/sessions", headers=headers)
    assert everywhere.json()["data"]["ended"] >= 1
    await refused_after(peer, other["tokens"]["access_token"])
    assert current["id"] != newest["id"]


async def test_revoked_api_key_is_forgotten_by_a_peer(pair: tuple[RunningService, RunningService]) -> None:
    """A peer that remembers an API key for a while drops it when it is revoked."""
    auth, peer = pair
    headers = {"Authorization": f"Bearer {(await log_in(auth))['tokens']['access_token']}"}
    body = {"name": "script", "scopes": ["sentiment:analyze"]}
    key = (await auth.client.post("/v1/auth/api-keys", json=body, headers=headers)).json()["data"]
    assert await score(peer, key["key"]) == 200
    assert (await auth.client.delete(f"/v1/auth/api-keys/{key['id']}", headers=headers)).status_code == 200
    # What was known of the key would have been believed for 15 seconds.
    assert await refused_after(peer, key["key"]) < 10


async def test_redis_away_means_polling_and_the_metric_says_so(
    pair: tuple[RunningService, RunningService], redis_server: Any
) -> None:
    """Without Redis tokens verify, logins work, revocations still arrive, and all heals."""
    auth, peer = pair
    await until_source(peer, "push")
    redis_server.stop()
    await until_source(peer, "poll")
    session = await log_in(auth)
    token = session["tokens"]["access_token"]
    assert await score(peer, token) == 200
    await log_out(auth, session)
    print(f"\nrefused by the peer after {await refused_after(peer, token) * 1000:.0f} ms, polled")
    redis_server.start()
    await until_source(peer, "push")
    again = await log_in(auth)
    await log_out(auth, again)
    await refused_after(peer, again["tokens"]["access_token"])


async def test_postgres_away_leaves_verification_and_known_revocations(
    pair: tuple[RunningService, RunningService], postgres_server: Any
) -> None:
    """Without PostgreSQL tokens verify, dead ones stay dead, logins answer 503 with Retry-After, and all heals."""
    auth, peer = pair
    dead, alive = await log_in(auth), await log_in(auth)
    await log_out(auth, dead)
    await refused_after(peer, dead["tokens"]["access_token"])
    postgres_server.stop()
    assert await score(peer, alive["tokens"]["access_token"]) == 200
    verdict = await auth.client.post("/internal/validate-token", json={"token": alive["tokens"]["access_token"]})
    assert verdict.json()["valid"] is True
    assert await score(peer, dead["tokens"]["access_token"]) == 401
    credentials = {"email": "admin@castor.example", "password": "cuatro caballos lentos"}
    away = await auth.client.post("/v1/auth/login", json=credentials)
    assert (away.status_code, away.json()["code"]) == (503, "database_unavailable")
    assert int(away.headers["retry-after"]) >= 1
    refresh = {"refresh_token": alive["tokens"]["refresh_token"]}
    assert (await auth.client.post("/v1/auth/refresh", json=refresh)).status_code == 503
    assert (await auth.client.post("/v1/auth/logout", json=refresh)).status_code == 503
    postgres_server.start()
    await auth.ready(60)
    assert (await auth.client.post("/v1/auth/refresh", json=refresh)).status_code == 200
    assert (await log_in(auth))["tokens"]["access_token"]


async def test_leaked_signing_key_is_dead_everywhere(pair: tuple[RunningService, RunningService]) -> None:
    """Replaced at once, a key's tokens are refused by a peer that remembers them, and tokens of the new key hold."""
    auth, peer = pair
    session = await log_in(auth)
    assert await score(peer, session["tokens"]["access_token"]) == 200
    chassis, settings = auth.pair.chassis, auth.pair.chassis.settings
    assert isinstance(settings, AuthSettings)
    vault = Vault(settings.key_encryption_secret.get_secret_value())
    parts = chassis.postgres, vault, chassis.in_thread, Audit(vault), auth.app.state.resources.revocations
    await KeyRotation(*parts, rotation_times(settings)).replace_leaked()
    await refused_after(peer, session["tokens"]["access_token"])
    async with asyncio.timeout(60):
        while await score(peer, (await log_in(auth))["tokens"]["access_token"]) != 200:
            await asyncio.sleep(0.1)
