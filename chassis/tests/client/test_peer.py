"""The peer client against a real mTLS peer that is slow, dead, wrong or overloaded."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from castor_chassis import Peer, PeerPolicy, PeerRejected, PeerTimeout, PeerUnavailable, RequestInfo, set_request
from castor_chassis.testing import Authority, ScriptedPeer, end_pause, until
from castor_chassis.testing.authority import replace_file
from castor_chassis.testing.peer import Answer, reserved_port
from castor_chassis.tls import TlsFiles, TlsIdentity
from castor_chassis.wire.errors import DeadlineExceeded

UNAVAILABLE = (503, {"ok": False, "error": "down", "code": "unavailable"}, {})


PATH = "/v1/thing"


@pytest.fixture
async def scripted(files: TlsFiles) -> AsyncIterator[ScriptedPeer]:
    peer = ScriptedPeer()
    peer.reply(PATH, {"n": 1})
    async with peer.listening(files):
        yield peer


@pytest.fixture
async def peer(scripted: ScriptedPeer, caller_identity: TlsIdentity) -> AsyncIterator[Peer]:
    async with caller_of(scripted, caller_identity) as client:
        yield client


@pytest.fixture
async def impatient(scripted: ScriptedPeer, caller_identity: TlsIdentity) -> AsyncIterator[Peer]:
    """A client for peers that never answer."""
    async with caller_of(scripted, caller_identity, attempt_timeout_seconds=1) as client:
        yield client


@asynccontextmanager
async def caller_of(scripted: ScriptedPeer, identity: TlsIdentity, **policy: float) -> AsyncIterator[Peer]:
    limits = {"attempt_timeout_seconds": 20, "fail_max": 5, "reset_seconds": 60, **policy}
    client = Peer("thing-service", scripted.url, policy=PeerPolicy(attempts=3, **limits), tls=identity)  # type: ignore[arg-type]
    yield client
    await client.close()
    set_request(None)


def within(seconds: float) -> None:
    set_request(RequestInfo(deadline=asyncio.get_running_loop().time() + seconds))


async def test_opens_the_envelope(peer: Peer) -> None:
    """The data of a success arrives, without its wrapping."""
    reply = await peer.get(PATH, params={"a": 1, "b": None})
    assert (reply.status, reply.data) == (200, {"n": 1})


async def test_get_is_retried_until_it_succeeds(peer: Peer, scripted: ScriptedPeer) -> None:
    """An idempotent call survives two bad answers."""
    scripted.script = [UNAVAILABLE, "hang up"]
    assert (await peer.get(PATH)).data == {"n": 1}
    assert len(scripted.calls) == 3


@pytest.mark.parametrize("fault", [UNAVAILABLE, "hang up"])
async def test_post_is_not_retried_once_sent(peer: Peer, scripted: ScriptedPeer, fault: Answer | str) -> None:
    """A POST that may have taken effect is never repeated: not after 503, or a lost connection."""
    scripted.script = [fault]
    with pytest.raises(PeerUnavailable):
        await peer.post(PATH, json={"x": 1})
    assert len(scripted.calls) == 1


async def test_post_is_not_retried_after_silence(impatient: Peer, scripted: ScriptedPeer) -> None:
    """A POST that was never answered is not sent again."""
    await impatient.get(PATH)
    scripted.script = [60.0] * 3
    with pytest.raises(PeerTimeout):
        await impatient.post(PATH, json={"x": 1})
    assert [call.method for call in scripted.calls] == ["GET", "POST"]


async def test_post_on_a_connection_that_the_peer_closed_is_not_repeated(peer: Peer, scripted: ScriptedPeer) -> None:
    """Also on a kept-alive connection, a hang-up after sending is not taken for 'unsent'."""
    await peer.get(PATH)
    scripted.script = ["hang up"]
    with pytest.raises(PeerUnavailable):
        await peer.post(PATH, json={"x": 1})
    assert len(scripted.calls) == 2


async def test_post_is_retried_when_declared_idempotent(peer: Peer, scripted: ScriptedPeer) -> None:
    """A POST that the peer may see twice is repeated."""
    scripted.script = ["hang up"]
    assert (await peer.post(PATH, json={}, idempotent=True)).status == 200
    assert len(scripted.calls) == 2


async def test_post_is_retried_when_provably_unsent(files: TlsFiles, caller_identity: TlsIdentity) -> None:
    """A POST whose connection was refused is tried again, and arrives once the peer listens."""
    late = ScriptedPeer()
    late.reply(PATH, "late")
    with reserved_port() as port:
        client = Peer("late-service", f"https://127.0.0.1:{port}", policy=PeerPolicy(attempts=10), tls=caller_identity)
        call = asyncio.ensure_future(client.post(PATH, json={}))
        await asyncio.sleep(0.05)
        async with late.listening(files, port):
            assert (await call).data == "late"
        await client.close()
    assert len(late.calls) == 1


async def test_4xx_is_neither_retried_nor_an_outage(peer: Peer, scripted: ScriptedPeer) -> None:
    """Refusals say who refused and why, and never open the breaker."""
    refusal = (409, {"ok": False, "error": "twice", "code": "conflict"}, {})
    scripted.script = [refusal] * 10
    for _ in range(10):
        with pytest.raises(PeerRejected) as caught:
            await peer.get(PATH)
    assert (caught.value.peer_status, caught.value.peer_code) == (409, "conflict")
    assert "twice" in str(caught.value)
    assert not peer.breaker.is_open
    assert len(scripted.calls) == 10


@pytest.mark.parametrize("form", ["seconds", "date"])
async def test_retry_after_is_honoured_within_the_deadline(peer: Peer, scripted: ScriptedPeer, form: str) -> None:
    """The peer's own waiting time replaces the backoff, in both forms of the header."""
    moment = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=2)
    header = "1" if form == "seconds" else format_datetime(moment, usegmt=True)
    scripted.script = [(429, {"ok": False, "error": "slow down", "code": "rate_limited"}, {"Retry-After": header})]
    within(10)
    started = time.monotonic()
    assert (await peer.get(PATH)).status == 200
    assert time.monotonic() - started >= 0.9


async def test_a_busy_peer_is_no_outage(peer: Peer, scripted: ScriptedPeer) -> None:
    """However often it answers 429, it is asked again when it said so, not when a breaker closes."""
    busy = (429, {"ok": False, "error": "overloaded", "code": "overloaded"}, {"Retry-After": "30"})
    scripted.script = [busy] * 10
    for _ in range(10):
        within(20)
        with pytest.raises(PeerUnavailable) as caught:
            await peer.get(PATH)
    assert caught.value.headers() == {"Retry-After": "30"}
    assert not peer.breaker.is_open
    assert (await peer.get(PATH)).status == 200
    assert len(scripted.calls) == 11


async def test_retry_after_beyond_the_deadline_fails_at_once(peer: Peer, scripted: ScriptedPeer) -> None:
    """Nobody waits for an answer that would come too late."""
    scripted.script = [(503, {"ok": False, "error": "x", "code": "y"}, {"Retry-After": "60"})]
    within(20)
    with pytest.raises(PeerUnavailable) as caught:
        await peer.get(PATH)
    assert caught.value.headers() == {"Retry-After": "60"}
    assert len(scripted.calls) == 1


async def test_remaining_time_travels_and_bounds_the_attempt(peer: Peer, scripted: ScriptedPeer) -> None:
    """The peer learns the milliseconds that are left, and a spent deadline sends nothing."""
    within(10)
    await peer.get(PATH)
    assert 0 < int(scripted.calls[0].headers["x-request-timeout-ms"]) <= 10_000
    within(-1)
    with pytest.raises(DeadlineExceeded):
        await peer.get(PATH)
    assert len(scripted.calls) == 1


async def test_dead_peer_opens_the_breaker_and_heals(peer: Peer, scripted: ScriptedPeer) -> None:
    """Failures open the breaker, it refuses without a call, and one trial after the pause closes it."""
    scripted.script = [UNAVAILABLE] * 5
    for _ in range(5):
        with pytest.raises(PeerUnavailable):
            await peer.post(PATH, json={})
    with pytest.raises(PeerUnavailable, match="circuit breaker open"):
        await peer.post(PATH, json={})
    assert len(scripted.calls) == 5
    end_pause(peer.breaker)
    assert (await peer.post(PATH, json={})).status == 200


async def test_hung_peer_is_a_timeout_and_counts(impatient: Peer, scripted: ScriptedPeer) -> None:
    """Silence ends after the attempt's time, and enough of it opens the breaker."""
    scripted.delay_seconds = 60
    results = await asyncio.gather(*(impatient.post(PATH, json={}) for _ in range(5)), return_exceptions=True)
    assert {type(result) for result in results} == {PeerTimeout}
    assert impatient.breaker.is_open


async def test_bulkhead_refuses_what_is_too_much(scripted: ScriptedPeer, caller_identity: TlsIdentity) -> None:
    """Calls beyond the bulkhead fail at once instead of queueing."""
    scripted.delay_seconds = 2
    policy = PeerPolicy(attempts=1, max_connections=4, attempt_timeout_seconds=20)
    client = Peer("thing-service", scripted.url, policy=policy, tls=caller_identity)
    results = await asyncio.gather(*(client.get(PATH) for _ in range(10)), return_exceptions=True)
    await client.close()
    assert sum(isinstance(result, PeerUnavailable) for result in results) == 6
    assert len(scripted.calls) == 4


async def test_connections_are_shared(peer: Peer) -> None:
    """Many calls one after the other use one connection, not one handshake each."""
    for _ in range(20):
        await peer.get(PATH)
    client = peer._client
    assert client is not None
    connector = client._transport.client.connector  # type: ignore[attr-defined]
    assert sum(len(held) for held in connector._conns.values()) == 1


async def test_context_travels(peer: Peer, scripted: ScriptedPeer) -> None:
    """The request id goes along; the user's own token does not."""
    set_request(RequestInfo(request_id="req-12345678", user_token="user.to.ken"))
    await peer.get(PATH)
    headers = scripted.calls[0].headers
    assert headers["x-request-id"] == "req-12345678"
    assert "user.to.ken" not in str(headers)


async def test_the_users_token_is_exchanged(scripted: ScriptedPeer, caller_identity: TlsIdentity) -> None:
    """What was given in exchange goes along; when nothing was, no call is made, which would be at our own expense."""
    known = {"user.to.ken": "to.ken.of-peer"}

    async def exchange(user_token: str, audience: str, _refused: str) -> str:
        if user_token not in known:
            raise PeerUnavailable(peer="auth-exchange", reason="down")
        return f"{known[user_token]}@{audience}"

    client = Peer("thing-service", scripted.url, tls=caller_identity, user_tokens=exchange)
    for user_token in ("user.to.ken", None):
        set_request(RequestInfo(request_id="req-12345678", user_token=user_token))
        await client.get(PATH)
    set_request(RequestInfo(request_id="req-12345678", user_token="stran.ger.s"))
    with pytest.raises(PeerUnavailable, match="auth-exchange"):
        await client.get(PATH)
    await client.close()
    sent = [call.headers.get("x-user-authorization") for call in scripted.calls]
    assert sent == ["Bearer to.ken.of-peer@thing-service", None]


async def test_service_token_is_brought(scripted: ScriptedPeer, caller_identity: TlsIdentity) -> None:
    """Every call carries the token that its source gives for this peer."""

    async def token(audience: str, _refused: str) -> str:
        return f"token-for-{audience}"

    client = Peer("thing-service", scripted.url, tls=caller_identity, tokens=token)
    await client.get(PATH)
    await client.close()
    assert scripted.calls[0].headers["authorization"] == "Bearer token-for-thing-service"


REFUSED = (401, {"ok": False, "error": "another certificate", "code": "unauthorized"}, {})


@pytest.mark.parametrize("refusals", [1, 2])
async def test_a_refused_token_is_replaced_once(
    scripted: ScriptedPeer, caller_identity: TlsIdentity, refusals: int
) -> None:
    """A 401 is answered with another token, for a POST as well; a second one is the caller's error."""
    asked = []

    async def token(_audience: str, refused: str) -> str:
        asked.append(refused)
        return f"token-{len(asked)}"

    client = Peer("thing-service", scripted.url, tls=caller_identity, tokens=token)
    scripted.script = [REFUSED] * refusals
    if refusals == 1:
        assert (await client.post(PATH, json={})).data == {"n": 1}
    else:
        with pytest.raises(PeerRejected, match="another certificate"):
            await client.post(PATH, json={})
    await client.close()
    assert asked == ["", "token-1"]
    assert [call.headers["authorization"] for call in scripted.calls] == ["Bearer token-1", "Bearer token-2"]


async def test_a_refused_token_that_cannot_be_replaced_is_not_sent_again(
    scripted: ScriptedPeer, caller_identity: TlsIdentity
) -> None:
    """Where there is no other token, or none at all, a 401 costs one call."""

    async def token(_audience: str, _refused: str) -> str:
        return "the only one"

    for tokens in (token, None):
        client = Peer("thing-service", scripted.url, tls=caller_identity, tokens=tokens)
        scripted.script, scripted.calls = [REFUSED], []
        with pytest.raises(PeerRejected, match="another certificate"):
            await client.get(PATH)
        await client.close()
        assert len(scripted.calls) == 1


async def test_client_takes_up_a_new_certificate(
    scripted: ScriptedPeer, authority: Authority, caller: TlsFiles, caller_identity: TlsIdentity
) -> None:
    """After a renewal new calls use a new client, and a call in flight still ends well."""
    client = Peer("thing-service", scripted.url, tls=caller_identity)
    scripted.script = [2.0]
    in_flight = asyncio.ensure_future(client.get(PATH))

    async def arrived() -> bool:
        return bool(scripted.calls)

    await until(arrived)
    before = client._client
    certificate, key = authority.issue("twitter-service")
    replace_file(caller.key, key)
    replace_file(caller.certificate, certificate)
    assert caller_identity.reload_if_changed()
    assert (await client.get(PATH)).status == 200
    assert client._client is not before
    assert (await in_flight).status == 200
    await client.close()
