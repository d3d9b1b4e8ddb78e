"""Tokens for other services end with the certificate that they are bound to, and with a leaked signing key."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from castor_chassis import Chassis
from castor_chassis.client.peer import Reply
from castor_chassis.security import peer_tokens
from castor_chassis.security.peer_tokens import ServiceTokens, UserTokens
from castor_chassis.security.revocation import Revocation, RevocationBatch
from castor_chassis.testing import (
    Authority,
    ScriptedPeer,
    TokenIssuer,
    run_service,
    thumbprint_of,
    tls_settings,
    until,
)
from castor_chassis.testing.authority import replace_file
from castor_chassis.tls import TlsFiles
from small_service import Running
from small_service.app import SmallSettings, create_app

PATH = "/v1/small/echo/a"
KEY = "castor_0123456789abcdef_x"


def revocation(kind: str, subject: str = "any") -> Revocation:
    """Return a revocation that holds for a minute."""
    return Revocation(kind, subject, 0, 60)


class Tickets:
    """Stands where the client of auth-service does: each token is another, given when ``open`` is set."""

    def __init__(self) -> None:
        self.count = 0
        self.open = asyncio.Event()
        self.open.set()

    async def request(self, *_path: str, **_options: Any) -> Reply:
        self.count += 1
        token = f"t{self.count}"
        await self.open.wait()
        return Reply(200, {"access_token": token, "expires_in": 300}, {}, {})


Calling = tuple[Chassis, ScriptedPeer]


@asynccontextmanager
async def calling(caller: TlsFiles, issuer: TokenIssuer, files: TlsFiles) -> AsyncIterator[Calling]:
    """Run a service with the certificate ``caller``, whose tokens are bound to it by an auth-service of the test."""
    auth = ScriptedPeer()

    def bound(_call: object) -> Any:
        token = issuer.service_token("twitter-service", "small-service", ["small:read"], thumbprint_of(caller))
        return 200, {"access_token": token, "expires_in": 300}, {}

    auth.routes["/v1/auth/token"] = bound
    async with auth.listening(files):
        settings = SmallSettings(**{**tls_settings(caller), "auth_url": auth.url, "tls_poll_seconds": 600})
        app = create_app(settings, keys=issuer)
        async with run_service(app, settings):
            yield app.state.chassis, auth


async def test_a_renewed_certificate_cuts_nobody_off(
    running: Running, authority: Authority, issuer: TokenIssuer, caller: TlsFiles, files: TlsFiles
) -> None:
    """The first call after a renewal brings a token that is bound to the new certificate, fetched once."""
    async with running() as called, calling(caller, issuer, files) as (chassis, auth):
        peer = chassis.peer("small-service", called.url)
        assert (await peer.get(PATH)).data == "a"
        certificate, key = authority.issue("twitter-service")
        replace_file(caller.key, key)
        replace_file(caller.certificate, certificate)
        assert chassis.tls is not None
        assert chassis.tls.reload_if_changed()
        assert [(await peer.get(PATH)).data for _ in range(3)] == ["a"] * 3
    assert len(auth.calls) == 2


async def test_a_leaked_signing_key_ends_the_tokens_held(
    running: Running, issuer: TokenIssuer, caller: TlsFiles, files: TlsFiles
) -> None:
    """When a service learns of the leak it fetches tokens anew before its next call; other revocations cost none."""
    async with running() as called, calling(caller, issuer, files) as (chassis, auth):
        peer = chassis.peer("small-service", called.url)
        for number, kind in enumerate(("session", "user", "api_key", "signing_key")):
            await peer.get(PATH)
            chassis.revoked.add(RevocationBatch(number, [revocation(kind)]))
        await peer.get(PATH)
    assert len(auth.calls) == 2


async def test_what_was_being_fetched_at_the_change_is_not_remembered() -> None:
    """A token whose fetch began before the change may be bound to what is gone: whoever asks later gets another."""
    auth = Tickets()
    tokens = ServiceTokens(auth)  # type: ignore[arg-type]
    auth.open.clear()
    early = asyncio.ensure_future(tokens.token("a-service"))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    tokens.forget()
    late = asyncio.ensure_future(tokens.token("a-service"))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    auth.open.set()
    assert (await early, await late) == ("t1", "t2")
    assert await tokens.token("a-service") == "t2"


class Exchanges:
    """Stands where the client of auth-service does: it exchanges each API key for a token of its owner."""

    def __init__(self, issuer: TokenIssuer, owners: dict[str, str]) -> None:
        self.issuer = issuer
        self.owners = owners
        self.open = asyncio.Event()
        self.open.set()
        self.asked: list[str] = []

    async def is_asked(self) -> bool:
        return bool(self.asked)

    async def request(self, *_path: str, form: dict[str, str], **_options: Any) -> Reply:
        self.asked.append(form["subject_token"])
        await self.open.wait()
        token = self.issuer.delegation(self.owners[form["subject_token"]], "a-service", "b-service", "thumb")
        return Reply(200, {"access_token": token, "expires_in": 300}, {}, {})


KEYS = {KEY: "ana", "castor_fedcba9876543210_x": "ana", "castor_0000000000000000_x": "berta", "a.user.s": "ana"}
ANAS = set(list(KEYS)[:2])


@pytest.mark.parametrize(
    ("kind", "subject", "renewed"),
    [
        ("session", "0123456789abcdef", set()),
        ("user", "ana", ANAS),
        ("user", "carla", set()),
        ("api_key", "0123456789abcdef", {KEY}),
        ("signing_key", "kid", set(KEYS)),
    ],
)
async def test_stale_exchanges_are_forgotten(issuer: TokenIssuer, kind: str, subject: str, renewed: set[str]) -> None:
    """A key is exchanged anew when it or its owner changed, and nobody else's; users' tokens end with their session."""
    tokens = UserTokens(Exchanges(issuer, KEYS))  # type: ignore[arg-type]
    held = {credential: await tokens.token(credential, "a-service") for credential in KEYS}
    tokens.revoke(revocation(kind, subject))
    assert {name for name, token in held.items() if await tokens.token(name, "a-service") != token} == renewed


@pytest.mark.parametrize(("subject", "asked"), [("ana", 2), ("carla", 1)])
async def test_an_exchange_under_way_is_stale_for_its_owner_alone(
    issuer: TokenIssuer, subject: str, asked: int
) -> None:
    """A revocation that came while a key was exchanged makes the answer stale if it names the owner, else not."""
    auth = Exchanges(issuer, KEYS)
    tokens = UserTokens(auth)  # type: ignore[arg-type]
    auth.open.clear()
    early = asyncio.ensure_future(tokens.token(KEY, "a-service"))
    await until(auth.is_asked)
    tokens.revoke(revocation("user", subject))
    auth.open.set()
    first = await early
    assert (await tokens.token(KEY, "a-service") == first) == (asked == 1)
    assert len(auth.asked) == asked


async def test_a_refused_token_is_fetched_anew_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A peer's refusal brings another token, for all who were refused the same; a peer that refuses each, none."""
    auth = Tickets()
    tokens = ServiceTokens(auth)  # type: ignore[arg-type]
    assert await tokens.token("a-service") == "t1"
    monkeypatch.setattr(peer_tokens, "REFUSED_AGE_SECONDS", 0.0)
    assert set(await asyncio.gather(*(tokens.token("a-service", "t1") for _ in range(20)))) == {"t2"}
    monkeypatch.setattr(peer_tokens, "REFUSED_AGE_SECONDS", 600.0)
    assert await tokens.token("a-service", "t2") == "t2"
    assert auth.count == 2
