"""Events reach their webhooks: signed, in order, once per id, whatever the receiver does."""

from __future__ import annotations

import asyncio
import json
import random
from collections import defaultdict
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest
from aiohttp import web
from standardwebhooks import Webhook, WebhookVerificationError

from castor_chassis import Postgres
from castor_chassis.testing import until
from trending_service.watches.delivery import Deliverer, secret_of
from trending_service.watches.model import EventFilter, Happening, NewWatch, Watch
from trending_service.watches.repository import WatchRepository
from trending_service.watches.targets import session

KEY = b"a key of the tests with thirty-two bytes"
NOW = datetime(2022, 5, 29, 12, tzinfo=UTC)


@dataclass
class Receiver:
    """A webhook on the loopback address; ``answers`` gives the status of each request."""

    url: str = ""
    fails: float = 0.0
    requests: list[tuple[dict[str, str], str]] = field(default_factory=list)
    accepted: list[tuple[str, str]] = field(default_factory=list)
    chance: random.Random = field(default_factory=lambda: random.Random(1))
    stalls: set[str] = field(default_factory=set)
    """Watches whose messages get no answer until the end of the test."""
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    async def handle(self, request: web.Request) -> web.Response:
        body = await request.text()
        if json.loads(body)["watch"] in self.stalls:
            await self.ended.wait()
        self.requests.append((dict(request.headers), body))
        if self.chance.random() < self.fails:
            return web.Response(status=503)
        self.accepted.append((request.headers["webhook-id"], body))
        return web.Response(status=204)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """A receiver that takes everything."""
    made = Receiver()
    app = web.Application()
    app.router.add_post("/hook", made.handle)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    yield made
    made.ended.set()
    await runner.cleanup()


@pytest.fixture
def watches(postgres: Postgres) -> WatchRepository:
    """No watch."""
    return WatchRepository(postgres)


async def _ready() -> None:
    return None


@pytest.fixture
def deliverer(watches: WatchRepository) -> Deliverer:
    """Sends at once, and again at once, five times."""
    return Deliverer(
        watches, lambda: session(allow_private=True, timeout_seconds=5), KEY, True, _ready,
        most_attempts=5, pause=lambda _attempts: 0.0,
    )  # fmt: skip


async def _add(watches: WatchRepository, number: int, url: str | None, **more: int) -> Watch:
    new = NewWatch(f"watch {number}", "trend_starts", None, None, None, 0, url, None, None, more.get("digest_minutes"))
    made = await watches.add(f"w_{number:024x}", "user:ana", new, most=10_000)
    assert made is not None
    return made


def _event(number: int) -> Happening:
    return Happening(f"start:{number}", "trend.started", {"number": number})


async def _drain(deliverer: Deliverer) -> None:
    async with deliverer.open_session() as client:
        while await deliverer.send_due(client):
            pass


async def test_a_message_verifies_as_standard_webhooks_says(
    watches: WatchRepository, deliverer: Deliverer, receiver: Receiver
) -> None:
    """The library of the standard takes it with the secret of the watch, and no other."""
    watch = await _add(watches, 1, receiver.url)
    await watches.tell(watch, _event(7), NOW)
    await _drain(deliverer)
    ((headers, body),) = receiver.requests
    sent = Webhook(secret_of(KEY, watch)).verify(body, headers)
    assert (sent["type"], sent["watch"], sent["data"]) == ("trend.started", watch.id, {"number": 7})
    with pytest.raises(WebhookVerificationError):
        Webhook(secret_of(KEY, replace(watch, id="w_other"))).verify(body, headers)


async def test_an_address_that_breaks_the_client_fails_for_its_own_watch_alone(
    watches: WatchRepository, deliverer: Deliverer, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its message is counted as failed, and the messages of other watches arrive."""
    monkeypatch.setattr("trending_service.watches.delivery.check_url", lambda _url, **_: None)
    bad, good = await _add(watches, 1, "https://a..b/"), await _add(watches, 2, receiver.url)
    for watch in (bad, good):
        await watches.tell(watch, _event(7), NOW)
    await _drain(deliverer)
    assert [json.loads(body)["watch"] for _, body in receiver.requests] == [good.id]
    (dead,) = await watches.events(bad.id, EventFilter(0, 10, "dead"))
    assert (dead.attempts, "idna" in (dead.last_error or "")) == (5, True)


async def test_after_a_rotation_both_secrets_verify_for_a_day(
    watches: WatchRepository, deliverer: Deliverer, receiver: Receiver
) -> None:
    """A receiver may change its secret at any time of that day."""
    old = await _add(watches, 1, receiver.url)
    new = await watches.rotate(old.id, old.owner)
    assert new is not None
    assert secret_of(KEY, new) != secret_of(KEY, old)
    await watches.tell(new, _event(1), NOW)
    await _drain(deliverer)
    ((headers, body),) = receiver.requests
    for secret in (secret_of(KEY, old), secret_of(KEY, new)):
        assert Webhook(secret).verify(body, headers)


async def test_an_event_is_stored_once_per_watch(watches: WatchRepository) -> None:
    """What is noticed twice is told once; another watch is told too."""
    one, other = await _add(watches, 1, None), await _add(watches, 2, None)
    assert await watches.tell(one, _event(1), NOW) is not None
    assert await watches.tell(one, _event(1), NOW) is None
    assert await watches.tell(other, _event(1), NOW) is not None


async def test_what_never_arrives_is_dead_can_be_revived_and_lets_others_go_on(
    watches: WatchRepository, deliverer: Deliverer, receiver: Receiver
) -> None:
    """After the last attempt an event is on the dead-letter list, with what was wrong."""
    watch = await _add(watches, 1, receiver.url)
    receiver.fails = 1
    await watches.tell(watch, _event(1), NOW)
    await watches.tell(watch, _event(2), NOW)
    await _drain(deliverer)
    dead = await watches.events(watch.id, EventFilter(0, 10, "dead"))
    assert [(event.body["number"], event.attempts, event.last_error) for event in dead] == [
        (1, 5, "the receiver answered 503"), (2, 5, "the receiver answered 503")
    ]  # fmt: skip
    receiver.fails = 0
    assert await watches.revive(watch.id, dead[0].seq)
    await _drain(deliverer)
    assert [json.loads(body)["data"]["number"] for _, body in receiver.accepted] == [1]


async def test_a_digest_is_one_message_that_stays_the_same(
    watches: WatchRepository, deliverer: Deliverer, receiver: Receiver
) -> None:
    """Its attempts have one id and one content, although more happens meanwhile."""
    watch = await _add(watches, 1, receiver.url, digest_minutes=60)
    for number in range(3):
        await watches.tell(watch, _event(number), NOW)
    receiver.fails = 1
    async with deliverer.open_session() as client:
        await deliverer.send_due(client)
        await watches.tell(watch, _event(3), NOW)
        receiver.fails = 0
        while await deliverer.send_due(client):
            pass
    first, again, later = ((headers["webhook-id"], json.loads(body)) for headers, body in receiver.requests)
    assert first == again
    assert [event["data"]["number"] for event in first[1]["data"]["events"]] == [0, 1, 2]
    assert [event["data"]["number"] for event in later[1]["data"]["events"]] == [3]


@pytest.mark.parametrize("arrived", [0, 1])
async def test_a_digest_is_sent_again_whole(
    watches: WatchRepository, deliverer: Deliverer, receiver: Receiver, postgres: Postgres, arrived: int
) -> None:
    """A retried event brings the others of its message; where a part had arrived, the rest is another message."""
    watch = await _add(watches, 1, receiver.url, digest_minutes=60)
    for number in range(3):
        await watches.tell(watch, _event(number), NOW)
    receiver.fails = 1
    await _drain(deliverer)
    receiver.fails = 0
    first, *rest = await watches.events(watch.id, EventFilter(0, 10, "dead"))
    if arrived:
        await postgres.execute("UPDATE watch_events SET status = 'delivered' WHERE seq = $1", first.seq)
    assert await watches.revive(watch.id, rest[0].seq)
    assert not await watches.revive(watch.id, rest[1].seq)
    await _drain(deliverer)
    ((message_id, body),) = receiver.accepted
    assert [event["data"]["number"] for event in json.loads(body)["data"]["events"]] == [0, 1, 2][arrived:]
    assert (message_id == receiver.requests[0][0]["webhook-id"]) == (not arrived)


async def test_a_storm_arrives_whole_in_order_and_once_per_id(
    watches: WatchRepository, deliverer: Deliverer, receiver: Receiver, postgres: Postgres
) -> None:
    """Many watches, many events, a receiver that fails half the time, two replicas of which one is killed."""
    made = [await _add(watches, number, receiver.url) for number in range(40)]
    for number in range(10):
        await asyncio.gather(*(watches.tell(watch, _event(number), NOW) for watch in made))
    receiver.fails = 0.5
    patient = replace(deliverer, most_attempts=1000, idle_seconds=0.01)
    killed = asyncio.create_task(patient.run())
    lives = asyncio.create_task(patient.run())
    while len(receiver.accepted) < 150:
        await asyncio.sleep(0.01)
    killed.cancel()
    await asyncio.gather(killed, return_exceptions=True)
    # What the killed one had taken is taken again when its claim runs out.
    while await postgres.fetchval("SELECT count(*) FROM watch_events WHERE status = 'pending'"):
        await postgres.execute(
            "UPDATE watch_events SET due_at = now() WHERE status = 'pending' AND due_at > now() + interval '1 s'"
        )
        await asyncio.sleep(0.05)
    lives.cancel()
    await asyncio.gather(lives, return_exceptions=True)
    order: dict[str, list[int]] = defaultdict(list)
    by_id: dict[str, set[str]] = defaultdict(set)
    for message_id, body in receiver.accepted:
        by_id[message_id].add(body)
        number = json.loads(body)["data"]["number"]
        if number not in order[json.loads(body)["watch"]]:
            order[json.loads(body)["watch"]].append(number)
    assert len(by_id) == 400
    assert all(len(bodies) == 1 for bodies in by_id.values())
    assert set(map(tuple, order.values())) == {tuple(range(10))}


async def test_a_receiver_that_stalls_holds_up_its_own_watch_only(
    watches: WatchRepository, deliverer: Deliverer, receiver: Receiver
) -> None:
    """While one message gets no answer, all those of another watch arrive, one after another."""
    stalled, other = await _add(watches, 1, receiver.url), await _add(watches, 2, receiver.url)
    receiver.stalls.add(stalled.id)
    for number in range(4):
        for watch in (stalled, other):
            await watches.tell(watch, _event(number), NOW)
    patient = replace(deliverer, open_session=lambda: session(allow_private=True, timeout_seconds=600))
    running = asyncio.create_task(patient.run())

    async def arrived() -> bool:
        return [json.loads(body)["data"]["number"] for _, body in receiver.accepted] == [0, 1, 2, 3]

    await until(arrived)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert {event.status for event in await watches.events(stalled.id, EventFilter(0))} == {"pending"}


async def test_an_event_waits_until_it_is_due(
    watches: WatchRepository, deliverer: Deliverer, receiver: Receiver
) -> None:
    """Quiet hours: nothing is sent before, and what comes later does not overtake."""
    watch = await _add(watches, 1, receiver.url)
    await watches.tell(watch, _event(1), datetime.now(UTC) + timedelta(hours=1))
    await watches.tell(watch, _event(2), NOW)
    await _drain(deliverer)
    assert receiver.requests == []


async def test_a_test_is_sent_at_once_although_events_wait(
    watches: WatchRepository, deliverer: Deliverer, receiver: Receiver
) -> None:
    """In the quiet hours, or while a receiver that was mended is not tried again yet, the test button works."""
    watch = await _add(watches, 1, receiver.url)
    await watches.tell(watch, _event(1), datetime.now(UTC) + timedelta(hours=6))
    await watches.tell(watch, Happening("test:1", "test", {"message": "prueba"}), datetime.now(UTC))
    await _drain(deliverer)
    assert [json.loads(body)["type"] for _, body in receiver.accepted] == ["test"]


async def test_a_test_of_a_digest_holds_no_event(
    watches: WatchRepository, deliverer: Deliverer, receiver: Receiver
) -> None:
    """What is due goes neither with a test nor past an older event that waits."""
    watch = await _add(watches, 1, receiver.url, digest_minutes=60)
    await watches.tell(watch, _event(1), datetime.now(UTC) + timedelta(hours=6))
    await watches.tell(watch, _event(2), NOW)
    await watches.tell(watch, Happening("test:1", "test", {"message": "prueba"}), NOW)
    await _drain(deliverer)
    ((_, body),) = receiver.accepted
    assert [event["type"] for event in json.loads(body)["data"]["events"]] == ["test"]
    assert [event.status for event in await watches.events(watch.id, EventFilter(0))] == ["pending"] * 2 + ["delivered"]
