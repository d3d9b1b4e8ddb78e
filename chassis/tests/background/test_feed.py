"""Following a feed: every change once, by long polls that their own timeout never cuts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any, ClassVar

import pytest
from prometheus_client import REGISTRY
from pydantic import BaseModel, ValidationError

from castor_chassis import FeedPage, FeedReader, FeedSettings, Peer, PeerTimeout, Unavailable, feed_operation, follow
from castor_chassis.background import feed as feed_module
from castor_chassis.background.supervisor import Workers
from castor_chassis.testing import ScriptedPeer, until
from castor_chassis.tls import TlsFiles, TlsIdentity

PATH = "/v1/numbers/feed"


class Number(BaseModel):
    """A change, as far as it is read."""

    n: int


class FollowerSettings(FeedSettings):
    """Settings of a service that follows."""

    service_name: ClassVar[str] = "follower-service"


@dataclass
class Feed:
    """Ten numbers, three a page; the consumer's store."""

    stored: list[int] = field(default_factory=list)
    cursor: str = "0"
    crash_once: bool = True

    async def load(self) -> str:
        return self.cursor

    async def fetch(self, cursor: str) -> FeedPage[Number]:
        start = int(cursor)
        items = [Number(n=n) for n in range(start, min(start + 3, 10))]
        return FeedPage(items, str(start + len(items)))

    async def apply(self, items: list[Number], next_cursor: str) -> None:
        if self.crash_once and items[0].n >= 3:
            self.crash_once = False
            raise Unavailable(reason="database away")
        self.stored += [item.n for item in items]
        self.cursor = next_cursor


async def test_follower_takes_every_item_once_through_a_crash() -> None:
    """A page that could not be stored is fetched again; none is lost, none is stored twice."""
    feed = Feed()
    workers = Workers()
    workers.spawn(
        "feed",
        lambda: follow("numbers", load_cursor=feed.load, fetch=feed.fetch, apply=feed.apply, idle_seconds=0.01),
    )

    async def is_whole() -> bool:
        return len(feed.stored) >= 10

    await until(is_whole)
    await workers.stop()
    assert feed.stored == list(range(10))


async def test_the_end_is_reached_by_a_page_that_says_so() -> None:
    """A feed that always has something new is caught up with whenever a page is its last; its lag starts anew."""
    reached: list[str] = []
    pages = iter([FeedPage([Number(n=1)], "1", at_end=False), FeedPage([Number(n=2)], "2", at_end=True)])
    applied: list[str] = []

    async def fetch(_cursor: str) -> FeedPage[Number]:
        page = next(pages, None)
        if page is None:
            raise asyncio.CancelledError
        return page

    async def apply(_items: list[Number], cursor: str) -> None:
        applied.append(cursor)

    async def caught_up() -> None:
        reached.append(applied[-1])

    async def load_cursor() -> str:
        return "0"

    feed_module._reached_end_at["busy"] = 0.0
    with pytest.raises(asyncio.CancelledError):
        await follow("busy", load_cursor=load_cursor, fetch=fetch, apply=apply, caught_up=caught_up)
    assert (applied, reached) == (["1", "2"], ["2"])
    assert (REGISTRY.get_sample_value("castor_feed_lag_seconds", {"feed": "busy"}) or 0) < 5


@pytest.fixture
async def producer(files: TlsFiles) -> AsyncIterator[ScriptedPeer]:
    """A peer that answers two changes; ``delay_seconds`` is how long it keeps a poll."""
    peer = ScriptedPeer()
    data = {"items": [{"n": 1, "more": "x"}, {"n": 2}]}
    peer.routes[PATH] = lambda _call: (
        200,
        {"ok": True, "data": data, "meta": {"next_cursor": "2", "at_end": True}},
        {},
    )
    async with peer.listening(files):
        yield peer


async def test_a_poll_outlasts_its_wait(
    producer: ScriptedPeer, caller_identity: TlsIdentity, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page that comes at the very end of the wait is read; only a peer that is late beyond the margin times out."""
    monkeypatch.setattr(feed_module, "POLL_MARGIN_SECONDS", 0.5)
    peer = Peer("numbers-service", producer.url, tls=caller_identity)
    settings = FollowerSettings(feed_page_size=7, feed_wait_seconds=0.4)
    reader = FeedReader(peer, PATH, Number, settings)
    producer.delay_seconds = 0.4
    page = await reader.page("0")
    assert page == FeedPage([Number(n=1), Number(n=2)], "2", at_end=True)
    assert producer.calls[0].query == {"after": "0", "limit": "7", "wait": "0.4"}
    producer.script = [5.0] * 3
    with pytest.raises(PeerTimeout):
        await reader.page("2")
    await peer.close()


async def test_a_page_without_a_cursor_moves_nothing(producer: ScriptedPeer, caller_identity: TlsIdentity) -> None:
    """An empty page leaves the follower where it is, at the end."""
    producer.routes[PATH] = lambda _call: (200, {"ok": True, "data": {"items": []}}, {})
    peer = Peer("numbers-service", producer.url, tls=caller_identity)
    page = await FeedReader(peer, PATH, Number, FollowerSettings(feed_wait_seconds=0)).page("41")
    assert page == FeedPage([], "41", at_end=True)
    await peer.close()


def test_what_is_sent_and_read_is_declared() -> None:
    """The operation names the query parameters and the items that the reader uses."""
    declared = feed_operation(PATH, Number)
    assert (declared.method, declared.path, declared.sends) == ("GET", PATH, ("after", "limit", "wait"))
    assert declared.reads is not None
    assert declared.reads.model_validate({"items": [{"n": 3}]}).model_dump() == {"items": [{"n": 3}]}


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        ({"feed_wait_seconds": 20, "request_timeout_seconds": 24}, "leaves less than 5 s"),
        ({"feed_wait_seconds": 26}, "less than or equal to 25"),
        ({"feed_wait_seconds": -1}, "greater than or equal to 0"),
        ({"feed_page_size": 0}, "greater than or equal to 1"),
        ({"feed_page_size": 1001}, "less than or equal to 1000"),
    ],
)
def test_settings_that_cannot_work_are_refused(wrong: dict[str, Any], problem: str) -> None:
    """A poll longer than a request, or a page that no producer gives, ends the start with the reason."""
    with pytest.raises(ValidationError, match=problem):
        FollowerSettings(**wrong)
