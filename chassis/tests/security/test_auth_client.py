"""The client of auth-service: keys, API keys, revocations and own tokens, through its outages and odd answers."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from castor_chassis import PeerUnavailable, Unavailable
from castor_chassis.client.peer import Reply
from castor_chassis.security.auth_client import JwksKeys, RemoteApiKeys, RemoteRevocations
from castor_chassis.security.peer_tokens import ServiceTokens
from castor_chassis.security.revocation import Revocation, RevocationBatch, RevocationList
from castor_chassis.testing import TokenIssuer


class KeySetAnswers:
    """Stands where the peer client does and counts the fetches."""

    def __init__(self, issuer: TokenIssuer) -> None:
        self.issuer = issuer
        self.fetches = 0
        self.is_away = False

    async def get(self, path: str) -> Reply:
        assert path == "/v1/auth/jwks"
        self.fetches += 1
        if self.is_away:
            raise PeerUnavailable(peer="auth-service", reason="down")
        return Reply(200, self.issuer.jwks(), {}, {})


async def test_10_000_random_kids_cause_one_fetch(issuer: TokenIssuer) -> None:
    """Invented key ids cannot flood auth-service."""
    auth = KeySetAnswers(issuer)
    keys = JwksKeys(auth)  # type: ignore[arg-type]
    assert await keys.key(issuer.kid) is not None
    for number in range(10_000):
        assert await keys.key(f"random-{number}") is None
    assert auth.fetches == 1


async def test_keys_stay_valid_while_auth_is_away(issuer: TokenIssuer) -> None:
    """Keys that were fetched once go on verifying when they cannot be renewed."""
    auth = KeySetAnswers(issuer)
    keys = JwksKeys(auth, max_age_seconds=0.01, cooldown_seconds=0)  # type: ignore[arg-type]
    assert await keys.key(issuer.kid) is not None
    auth.is_away = True
    time.sleep(0.02)
    assert await keys.key(issuer.kid) is not None
    assert auth.fetches == 2


async def test_without_any_key_the_answer_is_503_not_401(issuer: TokenIssuer) -> None:
    """Not being able to know is an outage, not a wrong token."""
    auth = KeySetAnswers(issuer)
    auth.is_away = True
    with pytest.raises(Unavailable):
        await JwksKeys(auth).key("any")  # type: ignore[arg-type]


def ended(subject: str, *, at: float = 0.0, lives: float = 60, kind: str = "session") -> Revocation:
    """Return a revocation of some seconds ago or ahead."""
    now = time.time()
    return Revocation(kind, subject, now + at, now + lives)


class ApiKeyAnswers:
    """Answers about API keys, and lets a revocation overtake the answer."""

    def __init__(self, revoked: RevocationList) -> None:
        self.revoked = revoked
        self.asked = 0
        self.overtaken = False

    async def post(self, _path: str, **_options: object) -> Reply:
        self.asked += 1
        if self.overtaken:
            self.revoked.add(RevocationBatch(9, [ended("0123456789abcdef", kind="api_key")]))
        return Reply(200, {"valid": True, "user_id": "u1", "scopes": ["a:b"], "roles": []}, {}, {})


async def test_api_key_verdicts_are_forgotten_with_their_key_or_owner() -> None:
    """A verdict is remembered until its key or its owner is named, and not at all when overtaken."""
    revoked = RevocationList()
    auth = ApiKeyAnswers(revoked)
    keys = RemoteApiKeys(auth, revoked=revoked)  # type: ignore[arg-type]
    key = "castor_0123456789abcdef_" + "A" * 43
    for items in ([], [ended("else", kind="user")], [ended("u1", kind="user")]):
        revoked.add(RevocationBatch(1, items))
        assert await keys.verify(key) is not None
    assert auth.asked == 2
    revoked.add(RevocationBatch(2, [ended("0123456789abcdef", kind="api_key")]))
    auth.overtaken = True
    await keys.verify(key)
    await keys.verify(key)
    assert auth.asked == 4


async def test_an_answer_that_another_key_overtook_is_kept() -> None:
    """Only who is named by a revocation is asked for anew."""
    revoked = RevocationList()
    auth = ApiKeyAnswers(revoked)
    auth.overtaken = True
    keys = RemoteApiKeys(auth, revoked=revoked)  # type: ignore[arg-type]
    for _ in range(2):
        assert await keys.verify("castor_fedcba9876543210_" + "A" * 43) is not None
    assert auth.asked == 1


async def test_a_key_that_no_longer_holds_is_remembered_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was known of it before does not make it be asked for each time."""
    auth = Scripted({"valid": True, "user_id": "u1"}, {"valid": False})
    keys = RemoteApiKeys(auth, ttl_seconds=0)  # type: ignore[arg-type]
    assert await keys.verify("castor_0123456789abcdef_x") is not None
    monkeypatch.setattr(keys, "_ttl", 600)
    assert [await keys.verify("castor_0123456789abcdef_x") for _ in range(3)] == [None] * 3
    assert len(auth.calls) == 2


class Scripted:
    """Answers every call with the next of ``answers``, the last one again and again."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.calls: list[dict[str, Any]] = []

    async def request(self, method: str, path: str, **options: Any) -> Reply:
        self.calls.append({"method": method, "path": path, **options})
        await asyncio.sleep(0.01)
        data = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return Reply(200, data, {}, {})

    async def get(self, path: str, **options: Any) -> Reply:
        return await self.request("GET", path, **options)

    async def post(self, path: str, **options: Any) -> Reply:
        return await self.request("POST", path, **options)


async def test_one_token_per_audience_is_fetched_once_at_a_time() -> None:
    """Twenty callers share one fetch; another audience has a token of its own; an ending one is renewed."""
    auth = Scripted({"access_token": "a", "expires_in": 300}, {"access_token": "b", "expires_in": 20})
    tokens = ServiceTokens(auth, margin_seconds=30)  # type: ignore[arg-type]
    assert set(await asyncio.gather(*(tokens.token("twitter-service") for _ in range(20)))) == {"a"}
    assert len(auth.calls) == 1
    assert auth.calls[0]["form"] == {"grant_type": "client_credentials", "audience": "twitter-service"}
    assert [await tokens.token("openai-service") for _ in range(2)] == ["b", "b"]
    assert len(auth.calls) == 3


async def test_revocations_come_whole() -> None:
    """What auth-service says of each revocation and of the batch arrives; what else it says is ignored."""
    item = {"kind": "session", "subject": "s1", "revoked_at": 5.5, "expires_at": 9, "reason": "new"}
    auth = Scripted({"epoch": 7, "items": [item], "issued_after": 2.0, "more": True, "later": 1})
    batch = await RemoteRevocations(auth).fetch(3)  # type: ignore[arg-type]
    assert batch == RevocationBatch(7, [Revocation("session", "s1", 5.5, 9.0)], 2.0, True)
    assert auth.calls[0]["params"] == {"after": 3}


async def test_an_unreadable_answer_is_an_outage() -> None:
    """An answer of another shape is 'unavailable', never a crash, and grants nothing."""
    for odd in ({"wrong": 1}, [], "text", None):
        auth = Scripted(odd)
        with pytest.raises(PeerUnavailable, match="not readable"):
            await RemoteApiKeys(auth).verify("castor_0123456789abcdef_x")  # type: ignore[arg-type]
        with pytest.raises(PeerUnavailable, match="not readable"):
            await RemoteRevocations(auth).fetch(0)  # type: ignore[arg-type]
        with pytest.raises(PeerUnavailable, match="not readable"):
            await ServiceTokens(auth).token("twitter-service")  # type: ignore[arg-type]
        with pytest.raises(Unavailable):
            await JwksKeys(auth).key("any")  # type: ignore[arg-type]
