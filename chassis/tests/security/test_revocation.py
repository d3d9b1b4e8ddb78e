"""The list of revocations: bounded, forgetful at the right time, and safe when it overflows."""

from __future__ import annotations

import asyncio
import time

import pytest

from castor_chassis import PeerUnavailable, TokenVerifier, Unauthenticated
from castor_chassis.security import revocation
from castor_chassis.security.revocation import Revocation, RevocationBatch, RevocationFollower, RevocationList
from castor_chassis.storage.redis import open_redis
from castor_chassis.testing import TokenIssuer, until


def ended(subject: str, *, at: float = 0.0, lives: float = 60, kind: str = "session") -> Revocation:
    """Return a revocation of some seconds ago or ahead."""
    now = time.time()
    return Revocation(kind, subject, now + at, now + lives)


def test_ended_sessions_are_held_until_their_tokens_expire() -> None:
    """An entry is in force until its time, then forgotten."""
    revoked = RevocationList()
    revoked.add(RevocationBatch(1, [ended("old", lives=-1), ended("new")]))
    assert (revoked.epoch, len(revoked)) == (1, 1)
    assert revoked.session("new", int(time.time()))
    assert not revoked.session("old", int(time.time()))


def test_an_overflow_refuses_more_and_never_less() -> None:
    """Beyond its bound the list holds an issued-before cut-off: dead sessions stay dead, tokens issued later hold."""
    revoked = RevocationList(max_entries=10)
    revoked.add(RevocationBatch(100, [ended(f"s{n}", at=-50 + n / 10) for n in range(100)]))
    assert len(revoked) == 10
    now = time.time()
    assert all(revoked.session(f"s{n}", int(now) - 51) for n in range(100))
    assert revoked.session("innocent", int(now) - 60)
    assert not revoked.session("innocent", int(now))


async def test_remembered_token_of_an_ended_session_is_refused(issuer: TokenIssuer) -> None:
    """The cache of verified tokens does not outlive the session; other sessions are spared."""
    revoked = RevocationList()
    verifier = TokenVerifier(issuer, issuer=issuer.issuer, service="x-service", revoked=revoked)
    mine, other = issuer.user_token(["a:b"]), issuer.user_token(["a:b"])
    session = (await verifier.verify(mine, None)).session_id
    await verifier.verify(other, None)
    assert session is not None
    revoked.add(RevocationBatch(1, [ended(session)]))
    with pytest.raises(Unauthenticated, match="session of the token was ended"):
        await verifier.verify(mine, None)
    assert (await verifier.verify(other, None)).use == "user"


async def test_follower_catches_up_and_outlives_errors() -> None:
    """What is missed while auth-service is away is fetched afterwards, in as many pages as there are."""
    log = [ended(f"s{n}") for n in range(25)]
    away = True

    async def fetch(after: int) -> RevocationBatch:
        if away:
            raise PeerUnavailable(peer="auth-service", reason="down")
        end = min(after + 10, len(log))
        return RevocationBatch(end, log[after:end], more=end < len(log))

    revoked = RevocationList()
    follower = asyncio.ensure_future(RevocationFollower(revoked, fetch, None, "issuer").run())
    await asyncio.sleep(0.05)
    assert revoked.epoch == 0
    away = False
    async with asyncio.timeout(30):
        while revoked.epoch < 25:
            await asyncio.sleep(0.01)
    follower.cancel()
    assert all(revoked.session(f"s{n}", 0) for n in range(25))


async def test_an_older_epoch_is_asked_about(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a restored backup the follower fetches at the first announcement, not at its next resynchronisation."""
    monkeypatch.setattr(revocation, "RESYNC_SECONDS", 1e9)
    batch = RevocationBatch(5000, [])

    async def fetch(_after: int) -> RevocationBatch:
        return batch

    redis, revoked = open_redis(redis_url, 10), RevocationList()
    assert redis is not None
    follower = RevocationFollower(revoked, fetch, redis, "restored")
    running = asyncio.ensure_future(follower.run())

    async def is_told() -> bool:
        await redis.publish(revocation.channel("restored"), batch.epoch)
        return revoked.epoch == batch.epoch and follower._source == "push"

    await until(is_told)
    batch = RevocationBatch(4901, [ended("new")])
    await until(is_told)
    assert revoked.session("new", 0)
    running.cancel()
    await redis.aclose()
