"""What a stranger can do to a service with invented credentials, over real sockets: nothing that others notice."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from castor_chassis import Chassis
from castor_chassis.client.peer import Reply
from castor_chassis.security.auth_client import RemoteApiKeys
from castor_chassis.testing import Authority, RunningService, ScriptedPeer, TokenIssuer, run_service, tls_settings
from castor_chassis.testing.peer import Answer, Call
from castor_chassis.tls import TlsFiles
from small_service import Running
from small_service.app import SmallSettings, create_app

HONEST = "castor_0123456789abcdef_" + "A" * 43
PATH = "/v1/small/echo/a"
VERIFY = "/internal/api-keys/verify"


@asynccontextmanager
async def over_the_ingress(
    authority: Authority, folder: Path, auth: ScriptedPeer, **settings: object
) -> AsyncIterator[RunningService]:
    """Run the small service with ``auth`` as its auth-service; its client is the ingress."""
    files = {name: authority.write(folder / name, name) for name in ("auth-service", "small-service", "ingress")}
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(auth.listening(files["auth-service"]))
        made = SmallSettings(auth_url=auth.url, **{**tls_settings(files["small-service"]), **settings})  # type: ignore[arg-type]
        running = run_service(create_app(made), made, client_files=files["ingress"])
        yield await stack.enter_async_context(running)


def auth_service(issuer: TokenIssuer) -> ScriptedPeer:
    """Return an auth-service that publishes the issuer's keys and knows one API key."""
    auth = ScriptedPeer()
    auth.reply("/internal/revocations", {"epoch": 1, "items": [], "issued_after": 0, "more": False})
    auth.reply("/v1/auth/token", {"access_token": "ours", "expires_in": 300})
    auth.routes["/v1/auth/jwks"] = lambda _call: (200, issuer.jwks(), {})
    auth.routes[VERIFY] = verified
    return auth


def verified(call: Call) -> Answer:
    valid = HONEST.encode() in call.body
    owner = {"valid": valid, "user_id": "u", "scopes": ["small:read"], "roles": []}
    return 200, {"ok": True, "data": owner, "meta": None}, {}


def bearer(credentials: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {credentials}"}


def random_key() -> str:
    return f"castor_{secrets.token_hex(8)}_{secrets.token_urlsafe(32)}"


async def test_five_hurried_requests_with_random_keys_shut_nobody_out(
    authority: Authority, tmp_path: Path, issuer: TokenIssuer
) -> None:
    """Invented API keys in a hurry open no breaker: keys, tokens and own tokens work as before."""
    auth = auth_service(issuer)
    async with over_the_ingress(authority, tmp_path, auth) as service:
        hurried = {"X-Request-Timeout-Ms": "2"}
        auth.delay_seconds = 0.2
        for _ in range(5):
            await service.client.get(PATH, headers={**bearer(random_key()), **hurried})
        auth.delay_seconds = 0
        key = await service.client.get(PATH, headers=bearer(HONEST))
        token = await service.client.get(PATH, headers=bearer(issuer.user_token(("small:read",))))
    assert (key.status_code, token.status_code) == (200, 200)


async def test_a_breaker_of_api_keys_is_not_that_of_tokens(
    authority: Authority, tmp_path: Path, issuer: TokenIssuer
) -> None:
    """When looking up API keys fails at auth-service, its key set and our own tokens are still fetched."""
    auth = auth_service(issuer)
    auth.routes[VERIFY] = lambda _call: (500, {"ok": False, "error": "broken", "code": "internal_error"}, {})
    async with over_the_ingress(authority, tmp_path, auth) as service:
        refused = [await service.client.get(PATH, headers=bearer(random_key())) for _ in range(10)]
        token = await service.client.get(PATH, headers=bearer(issuer.user_token(("small:read",))))
        chassis: Chassis = service.app.state.chassis
        assert chassis._tokens is not None
        assert await chassis._tokens.token("twitter-service") == "ours"
    assert refused[-1].status_code == 503
    assert "breaker" in refused[-1].json()["error"]
    assert token.status_code == 200


async def test_look_ups_of_api_keys_take_no_place_of_other_calls(
    authority: Authority, tmp_path: Path, issuer: TokenIssuer
) -> None:
    """While as many API keys are looked up as the bulkhead admits, the key set is fetched."""
    auth = auth_service(issuer)
    patient = {"peer_attempt_timeout_seconds": 25, "peer_max_connections": 2}
    async with over_the_ingress(authority, tmp_path, auth, **patient) as service:
        auth.gates[VERIFY] = asyncio.Event()
        strangers = [asyncio.ensure_future(service.client.get(PATH, headers=bearer(random_key()))) for _ in range(2)]
        while sum(call.path == VERIFY for call in auth.calls) < 2:
            await asyncio.sleep(0.01)
        token = await service.client.get(PATH, headers=bearer(issuer.user_token(("small:read",))))
        assert not any(stranger.done() for stranger in strangers)
        auth.gates[VERIFY].set()
        await asyncio.gather(*strangers)
    assert token.status_code == 200


async def test_a_hurried_caller_does_not_keep_the_key_set_away(
    files: TlsFiles, authority: Authority, tmp_path: Path, issuer: TokenIssuer
) -> None:
    """A fetch of the key set that began for a caller in a hurry goes on for all others."""
    auth = auth_service(issuer)
    caller = authority.write(tmp_path / "hurried", "twitter-service")
    async with auth.listening(authority.write(tmp_path / "auth", "auth-service")):
        settings = SmallSettings(auth_url=auth.url, **tls_settings(files))
        async with run_service(create_app(settings), settings, client_files=caller) as service:
            auth.delay_seconds = 0.3
            headers = bearer(issuer.user_token(("small:read",)))
            late = await service.client.get(PATH, headers={**headers, "X-Request-Timeout-Ms": "100"})
            answer = await service.client.get(PATH, headers=headers)
    assert late.status_code == 504
    assert answer.status_code == 200
    assert sum(call.path == "/v1/auth/jwks" for call in auth.calls) == 1


async def test_nobody_outside_sets_the_deadline_below_a_second(
    running: Running, authority: Authority, tmp_path: Path
) -> None:
    """Over the ingress a deadline of 2 ms is one second; a service may set any."""
    hurried = {"X-Request-Timeout-Ms": "2"}
    async with running(client=authority.write(tmp_path / "ingress", "ingress")) as service:
        # On a busy machine a second may not be enough, once.
        allowed = {
            (await service.client.get("/v1/small/slow?seconds=0.02", headers=hurried)).status_code for _ in range(5)
        }
        late = await service.client.get("/v1/small/slow?seconds=9", headers=hurried)
    async with running() as service:
        inside = await service.client.get("/v1/small/slow?seconds=0.02", headers=hurried)
    assert 200 in allowed <= {200, 504}
    assert (late.status_code, inside.status_code) == (504, 504)


async def test_invented_keys_do_not_displace_those_of_users() -> None:
    """As many refused keys as the cache holds leave the answer about a user's key in it."""

    class Auth:
        asked = 0

        async def post(self, _path: str, *, json: dict[str, str], idempotent: bool) -> Reply:
            assert idempotent
            self.asked += json["key"] == HONEST
            data = {"valid": json["key"] == HONEST, "user_id": "u", "scopes": [], "roles": []}
            return Reply(200, data, {}, {})

    auth = Auth()
    keys = RemoteApiKeys(auth, cache_size=10)  # type: ignore[arg-type]
    assert await keys.verify(HONEST) is not None
    for _ in range(30):
        assert await keys.verify(random_key()) is None
    assert await keys.verify(HONEST) is not None
    assert auth.asked == 1
