"""One connection to the filtered stream of X, and its rules, through tweepy's AsyncStreamingClient.

tweepy reconnects by itself, silently and without regard to rate limits. Here a connection ends with the first
disconnect, so that the gap is known and can be filled, and the next connection waits for its slot.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any

import aiohttp
import orjson
from tweepy import StreamRule
from tweepy.asynchronous import AsyncStreamingClient
from tweepy.asynchronous.streaming import AsyncBaseStream

from twitter_service.x.client import TWEET_FIELDS, USER_FIELDS, XClient
from twitter_service.x.errors import XRejected, XUnauthorized, XUnavailable
from twitter_service.x.span import Json

SILENCE_SECONDS = 30.0
"""X sends a keep-alive every 20 s."""
QUEUE_ITEMS = 10_000
RULE_LIMIT = 1024
PATIENCE_SECONDS = 3600.0


class Ended(Exception):
    """The connection is over; the message says why."""


class _Tweepy(AsyncStreamingClient):  # type: ignore[misc]
    """tweepy's connection with our base URL; however it ends, ``Ended`` is raised."""

    def __init__(self, token: str, base_url: str, items: asyncio.Queue[Json | None], silence_seconds: float) -> None:
        super().__init__(token, max_retries=0)
        self._base_url = base_url.rstrip("/")
        self._items = items
        self._silence = silence_seconds
        self.status: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self.reason = "ended"

    async def _connect(self, method: str, endpoint: str, **more: Any) -> None:
        url = f"{self._base_url}/2/tweets/{endpoint}/stream"
        headers = {"Authorization": f"Bearer {self.bearer_token}"}
        await AsyncBaseStream._connect(self, method, url, headers=headers, timeout=self._silence, **more)

    async def on_connect(self) -> None:
        """See tweepy."""
        self._answered(200)

    async def on_request_error(self, status_code: int) -> None:
        """See tweepy."""
        self._answered(status_code)
        raise Ended(f"status {status_code}")

    async def on_connection_error(self) -> None:
        """See tweepy."""
        raise Ended("the connection broke, or nothing came for too long")

    async def on_closed(self, resp: aiohttp.ClientResponse) -> None:
        """See tweepy."""
        raise Ended(f"X closed the connection after {resp.status}")

    async def on_keep_alive(self) -> None:
        """See tweepy."""

    async def on_data(self, raw_data: bytes | str) -> None:
        """See tweepy."""
        try:
            item = orjson.loads(raw_data)
        except orjson.JSONDecodeError as error:
            raise Ended("X sent what is not JSON") from error
        if isinstance(item, dict) and isinstance(item.get("data"), dict):
            self._put(item)
        elif isinstance(item, dict) and item.get("errors"):
            raise Ended("X announced a disconnect")

    async def on_exception(self, exception: Exception) -> None:
        """See tweepy."""
        self.reason = str(exception) or type(exception).__name__

    async def on_disconnect(self) -> None:
        """See tweepy."""
        self._answered(0)

    def _answered(self, status: int) -> None:
        if not self.status.done():
            self.status.set_result(status)

    def _put(self, item: Json) -> None:
        try:
            self._items.put_nowait(item)
        except asyncio.QueueFull as error:
            # Memory stays bounded: the stream ends, and the gap is filled by search.
            raise Ended("posts came faster than they could be stored") from error


class XStream:
    """The filtered stream; X allows one connection a key, so it is used under a lease."""

    def __init__(self, x: XClient, token: str, base_url: str, *, silence_seconds: float = SILENCE_SECONDS) -> None:
        self._x = x
        self._token = token
        self._base_url = base_url
        self._silence = silence_seconds
        self.reason = ""

    async def items(self, tick_seconds: float) -> AsyncGenerator[list[Json], None]:
        """Connect and yield the items that arrived, oldest first, at least every ``tick_seconds`` (perhaps none).

        The first list is empty and says that the stream is open. Ends with the connection; ``reason`` says why.
        Raises ``XUnavailable`` or ``XUnauthorized`` when X does not open it.
        """
        queue: asyncio.Queue[Json | None] = asyncio.Queue(QUEUE_ITEMS)
        async with self._x.limits.slot("stream", PATIENCE_SECONDS) as slot:
            stream = _Tweepy(self._token, self._base_url, queue, self._silence)
            task: asyncio.Task[None] = stream.filter(
                tweet_fields=TWEET_FIELDS, user_fields=USER_FIELDS, expansions=["author_id"]
            )
            status = await stream.status
            slot.answered(status, {})
        try:
            if status != 200:
                raise _refusal(status, stream.reason)
            yield []
            while not task.done() or not queue.empty():
                yield await _taken(queue, task, tick_seconds)
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            self.reason = stream.reason

    async def set_rules(self, rules_by_tag: Mapping[str, str]) -> dict[str, XRejected]:
        """Replace our rules by ``rules_by_tag`` (query by tag); rules without our tag stay.

        Returns the queries that X refuses, with its reasons; the other rules are set.
        """
        rules = await self._x.rules()
        ours = [rule for rule in rules if str(rule.get("tag", "")).startswith(TAG)]
        missing = {(TAG + tag, value) for tag, value in rules_by_tag.items()}
        present = {(str(rule["tag"]), str(rule["value"])) for rule in ours}
        surplus = [str(rule["id"]) for rule in ours if (str(rule["tag"]), str(rule["value"])) not in missing]
        if surplus:
            await self._x.delete_rules(surplus)
        return await self._add([StreamRule(value=value, tag=tag) for tag, value in sorted(missing - present)])

    async def _add(self, rules: Sequence[StreamRule]) -> dict[str, XRejected]:
        """Add rules; X refuses all for one, so they are halved until the refused one stands alone."""
        try:
            if rules:
                await self._x.add_rules(rules)
        except XRejected as error:
            if len(rules) == 1:
                return {str(rules[0].value): error}
            middle = len(rules) // 2
            return {**await self._add(rules[:middle]), **await self._add(rules[middle:])}
        return {}


TAG = "castor:"


def tags_of(item: Json) -> set[str]:
    """Return our tags of the rules that a post has matched."""
    rules = item.get("matching_rules") or []
    tags = (str(rule.get("tag", "")) for rule in rules if isinstance(rule, dict))
    return {tag.removeprefix(TAG) for tag in tags if tag.startswith(TAG)}


async def _taken(queue: asyncio.Queue[Json | None], task: asyncio.Task[None], tick_seconds: float) -> list[Json]:
    """Wait for an item, the tick or the end; return the items that are there, at most 100."""
    if queue.empty():
        getting = asyncio.ensure_future(queue.get())
        await asyncio.wait({getting, task}, timeout=tick_seconds, return_when=asyncio.FIRST_COMPLETED)
        first = [getting.result()] if getting.done() else []
        getting.cancel()
    else:
        first = [queue.get_nowait()]
    more = [queue.get_nowait() for _ in range(min(99, queue.qsize()))]
    return [item for item in (*first, *more) if item is not None]


def _refusal(status: int, reason: str) -> XUnauthorized | XUnavailable:
    if status in (401, 402, 403):
        return XUnauthorized(status=status, reason=reason, retry_after_seconds=60)
    return XUnavailable(reason=f"the stream answered {status}" if status else reason, retry_after_seconds=1)


def page_parts(items: Sequence[Json]) -> tuple[list[Json], list[Json]]:
    """Return the posts and the users in items of the stream."""
    users = [user for item in items for user in (item.get("includes") or {}).get("users", [])]
    return [item["data"] for item in items], users
