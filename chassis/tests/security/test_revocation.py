"""The list of revocations: bounded, forgetful at the right time, and safe when it overflows."""

from __future__ import annotations

import asyncio
import time

import pytest

from castor_chassis import PeerUnavailable, TokenVerifier, Unauthenticated
from castor_chassis.client.peer import Reply
from castor_chassis.security.authorization import RemoteApiKeys
from castor_chassis.security.revocation import News, Revocation, RevocationFollower, RevocationList
from castor_chassis.testing import TokenIssuer


def ended(subject: str, *, at: float = 0.0, lives: float = 60, kind: str = "session") -> Revocation:
    """Return a revocation of some seconds ago or ahead."""
    now = time.time()
    return Revocation(kind, subject, now + at, now + lives)


def test_ended_sessions_are_held_until_their_tokens_expire() -> None:
    """An entry is in force until its time, then forgotten."""
    revoked = RevocationList()
    revoked.add(News(1, [ended("old", lives=-1), ended("new")]))
    assert (revoked.epoch, len(revoked)) == (1, 1)
    assert revoked.session("new", int(time.time()))
    assert not revoked.session("old", int(time.time()))


def test_an_overflow_refuses_more_and_never_less() -> None:
    """Beyond its bound the list holds a line in time: dead sessions stay dead, tokens issued later hold."""
    revoked = RevocationList(max_entries=10)
    revoked.add(News(100, [ended(f"s{n}", at=-50 + n / 10) for n in range(100)]))
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
    revoked.add(News(1, [ended(session)]))
    with pytest.raises(Unauthenticated, match="session of the token was ended"):
        await verifier.verify(mine, None)
    assert (await verifier.verify(other, None)).use == "user"


async def test_follower_catches_up_and_outlives_errors() -> None:
    """What is missed while auth-service is away is fetched afterwards, in as many pages as there are."""
    log = [ended(f"s{n}") for n in range(25)]
    away = True

    async def fetch(after: int) -> News:
        if away:
            raise PeerUnavailable(peer="auth-service", reason="down")
        end = min(after + 10, len(log))
        return News(end, log[after:end], more=end < len(log))

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


class Auth:
    """Answers about API keys, and lets a revocation overtake the answer."""

    def __init__(self, revoked: RevocationList) -> None:
        self.revoked = revoked
        self.asked = 0
        self.overtaken = False

    async def post(self, _path: str, **_options: object) -> Reply:
        self.asked += 1
        if self.overtaken:
            self.revoked.add(News(9, [ended("0123456789abcdef", kind="api_key")]))
        return Reply(200, {"valid": True, "user_id": "u1", "scopes": ["a:b"], "roles": []}, {}, {})


async def test_api_key_verdicts_are_forgotten_with_their_key_or_owner() -> None:
    """A verdict is remembered until its key or its owner is named, and not at all when overtaken."""
    revoked = RevocationList()
    auth = Auth(revoked)
    keys = RemoteApiKeys(auth, revoked=revoked)  # type: ignore[arg-type]
    key = "castor_0123456789abcdef_" + "A" * 43
    for news in ([], [ended("else", kind="user")], [ended("u1", kind="user")]):
        revoked.add(News(1, news))
        assert await keys.verify(key) is not None
    assert auth.asked == 2
    revoked.add(News(2, [ended("0123456789abcdef", kind="api_key")]))
    auth.overtaken = True
    await keys.verify(key)
    await keys.verify(key)
    assert auth.asked == 4
