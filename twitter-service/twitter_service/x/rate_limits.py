"""Rate limits of X, counted before a request is sent and shared by all replicas in Redis.

X counts per endpoint and window and gives its count in ``x-rate-limit-*``. A request is sent only with a slot. The
count here is never above X's: it falls with every slot, and an answer lowers it to what X says less what is still in
flight, since X may not have counted that yet. In a window whose count is unknown (the first one, or one that has just
begun) a single request is sent, whose answer gives the count. After a 429 no request is sent until its reset. A slot
that is never returned (a killed replica) lapses by itself.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from redis.asyncio import Redis

from castor_chassis import Wakeup
from castor_chassis.storage.redis import REDIS_AWAY
from twitter_service.metrics import X_ALLOWANCE, X_REFUSED
from twitter_service.x.errors import XAllowanceSpent, XLimitsUnavailable

POLL_SECONDS = 0.05
"""How often to ask again for a slot that another replica holds."""
BLIND_SECONDS = 60.0
"""How long to wait after a 429 without ``x-rate-limit-reset``."""

_RESERVE = """
local time = redis.call('TIME')
local now = tonumber(time[1]) + tonumber(time[2]) / 1000000
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now)
local bucket = redis.call('HMGET', KEYS[1], 'remaining', 'reset', 'blocked', 'probe')
local blocked, reset, remaining = tonumber(bucket[3]) or 0, tonumber(bucket[2]) or 0, tonumber(bucket[1])
local margin = tonumber(ARGV[4])
if now < blocked then return {0, tostring(blocked - now)} end
if remaining == nil or now >= reset + margin then
  if bucket[4] and redis.call('ZSCORE', KEYS[2], bucket[4]) then return {0, '0'} end
  redis.call('HDEL', KEYS[1], 'remaining', 'reset')
  redis.call('HSET', KEYS[1], 'probe', ARGV[1])
elseif remaining <= 0 then
  return {0, tostring(reset + margin - now)}
elseif redis.call('ZCARD', KEYS[2]) >= tonumber(ARGV[2]) then
  return {0, '0'}
else
  redis.call('HINCRBY', KEYS[1], 'remaining', -1)
end
redis.call('ZADD', KEYS[2], now + tonumber(ARGV[3]), ARGV[1])
redis.call('EXPIRE', KEYS[1], 86400)
redis.call('EXPIRE', KEYS[2], 86400)
return {1, '0'}
"""

_RETURN = """
local time = redis.call('TIME')
local now = tonumber(time[1]) + tonumber(time[2]) / 1000000
redis.call('ZREM', KEYS[2], ARGV[1])
local bucket = redis.call('HMGET', KEYS[1], 'remaining', 'reset', 'blocked')
local told_remaining, told_reset = tonumber(ARGV[4]), tonumber(ARGV[5])
if ARGV[2] == '429' then
  local until_then = now + tonumber(ARGV[7])
  if told_reset and told_reset > now then until_then = told_reset + tonumber(ARGV[6]) end
  redis.call('HSET', KEYS[1], 'blocked', tostring(math.max(until_then, tonumber(bucket[3]) or 0)))
  redis.call('HDEL', KEYS[1], 'remaining', 'reset')
  return
end
if told_remaining == nil or told_reset == nil then return end
local left = told_remaining - redis.call('ZCARD', KEYS[2])
local reset = tonumber(bucket[2]) or 0
if told_reset < reset then return end
if told_reset == reset then left = math.min(left, tonumber(bucket[1]) or left) end
redis.call('HSET', KEYS[1], 'remaining', left, 'reset', told_reset, 'limit', ARGV[3])
"""


@dataclass
class Slot:
    """Permission to send one request; the answer of X is recorded here."""

    id: str
    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)

    def answered(self, status: int, headers: Mapping[str, str]) -> None:
        """Record the status and headers of the answer."""
        self.status, self.headers = status, headers

    def limit_header(self, name: str) -> str:
        """Return ``x-rate-limit-<name>`` where it is a whole number, else an empty text."""
        value = self.headers.get(f"x-rate-limit-{name}", "")
        return value if value.isdigit() else ""


@dataclass
class _Queue:
    """The requests of this process that wait for one endpoint: the first asks Redis, the others wait for the lock."""

    first: asyncio.Lock = field(default_factory=asyncio.Lock)
    returned: Wakeup = field(default_factory=Wakeup)
    free_at: float = 0.0


@dataclass(frozen=True)
class Allowance:
    """What is known of one endpoint's window; None where nothing is."""

    endpoint: str
    limit: int | None
    remaining: int | None
    resets_at: float | None
    """Unix time."""


class XLimits:
    """Slots for requests to X; raises ``XLimitsUnavailable`` while Redis is away."""

    def __init__(
        self, redis: Redis | None, *, account: str, max_in_flight: int, slot_seconds: float, margin_seconds: float
    ) -> None:
        self._redis = redis
        self._account = account
        self._max_in_flight = max_in_flight
        self._slot_seconds = slot_seconds
        self._margin = margin_seconds
        self._queues: defaultdict[str, _Queue] = defaultdict(_Queue)
        self._endpoints: set[str] = set()

    @asynccontextmanager
    async def slot(self, endpoint: str, patience_seconds: float) -> AsyncIterator[Slot]:
        """Wait for a slot to send one request; raises ``XAllowanceSpent`` when that takes longer than the patience."""
        slot = Slot(uuid.uuid4().hex)
        queue = self._queues[endpoint]
        self._endpoints.add(endpoint)
        await self._wait(endpoint, queue, slot, patience_seconds)
        try:
            yield slot
        finally:
            await asyncio.shield(self._return(endpoint, queue, slot))

    async def _wait(self, endpoint: str, queue: _Queue, slot: Slot, patience_seconds: float) -> None:
        deadline = time.monotonic() + patience_seconds
        self._refuse_unless_free_by(endpoint, queue, deadline)
        try:
            async with asyncio.timeout(patience_seconds):
                async with queue.first:
                    while (wait := await self._ask(endpoint, slot)) is not None:
                        queue.free_at = time.monotonic() + wait
                        self._refuse_unless_free_by(endpoint, queue, deadline)
                        await queue.returned.wait(wait or POLL_SECONDS)
        except TimeoutError:
            raise XAllowanceSpent(endpoint=endpoint, retry_after_seconds=_left(queue)) from None

    def _refuse_unless_free_by(self, endpoint: str, queue: _Queue, deadline: float) -> None:
        if queue.free_at > deadline:
            raise XAllowanceSpent(endpoint=endpoint, retry_after_seconds=_left(queue))

    async def _ask(self, endpoint: str, slot: Slot) -> float | None:
        """Return None when the slot is granted, else the seconds to wait (0: until one is given back)."""
        arguments = [slot.id, self._max_in_flight, self._slot_seconds, self._margin]
        granted, wait = await self._run(_RESERVE, endpoint, arguments)
        return None if int(granted) else float(wait)

    async def _return(self, endpoint: str, queue: _Queue, slot: Slot) -> None:
        if slot.status == 429:
            X_REFUSED.labels(endpoint).inc()
        if slot.limit_header("remaining"):
            X_ALLOWANCE.labels(endpoint).set(int(slot.limit_header("remaining")))
        told = [slot.limit_header("limit"), slot.limit_header("remaining"), slot.limit_header("reset")]
        # A slot that cannot be returned lapses by itself.
        with suppress(XLimitsUnavailable):
            await self._run(_RETURN, endpoint, [slot.id, slot.status, *told, self._margin, BLIND_SECONDS])
        queue.returned.set()

    async def known(self) -> list[Allowance]:
        """Return what is known of every endpoint that this process has used."""
        return [await self._known(endpoint) for endpoint in sorted(self._endpoints)]

    async def _known(self, endpoint: str) -> Allowance:
        if self._redis is None:
            raise XLimitsUnavailable(retry_after_seconds=2)
        try:
            found: Any = await self._redis.hmget(self._keys(endpoint)[0], ["limit", "remaining", "reset"])
        except REDIS_AWAY as error:
            raise XLimitsUnavailable(retry_after_seconds=2) from error
        limit, remaining, reset = (None if value is None else float(value) for value in found)
        whole = [None if value is None else int(value) for value in (limit, remaining)]
        is_over = reset is not None and reset < time.time()
        return Allowance(endpoint, whole[0], whole[0] if is_over else whole[1], None if is_over else reset)

    async def _run(self, script: str, endpoint: str, arguments: list[Any]) -> Any:
        if self._redis is None:
            raise XLimitsUnavailable(retry_after_seconds=60)
        for is_last in (False, True):
            try:
                return await self._redis.eval(script, 2, *self._keys(endpoint), *arguments)
            except REDIS_AWAY as error:
                # Twice is harmless: the slot is the same, the count at worst lower than X's.
                if is_last:
                    raise XLimitsUnavailable(retry_after_seconds=2) from error
        return None

    def _keys(self, endpoint: str) -> tuple[str, str]:
        # The braces keep both keys of an endpoint in one slot of a cluster.
        name = f"castor:{{x:{self._account}:{endpoint}}}"
        return f"{name}:bucket", f"{name}:flights"


def _left(queue: _Queue) -> float:
    return max(1.0, queue.free_at - time.monotonic())
