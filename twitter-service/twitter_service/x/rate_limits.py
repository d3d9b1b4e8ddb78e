"""Allowances of X, counted before a request is sent and shared by all replicas in Redis.

X counts per endpoint and window and tells its count in ``x-rate-limit-*``. A request is sent only with a slot.
The count here is never above X's: it falls with every slot, and an answer lowers it to what X says less what is
still in flight, since X may not have counted that yet. A window whose count is unknown (the first one, or one
that has just begun) is entered by a single request, whose answer tells the count. After a 429 nobody sends
until its reset. A slot that is never returned (a killed replica) lapses by itself.
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
from redis.exceptions import RedisError

from twitter_service.metrics import X_ALLOWANCE, X_REFUSED
from twitter_service.x.errors import XAllowanceSpent, XLimitsUnavailable

POLL_SECONDS = 0.05
"""How often a slot that another replica holds is asked for."""
BLIND_SECONDS = 60.0
"""How long to wait after a 429 that names no reset."""

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
    """Leave to send one request; what X answered is noted here."""

    id: str
    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)

    def answered(self, status: int, headers: Mapping[str, str]) -> None:
        """Note what X said."""
        self.status, self.headers = status, headers

    def told(self, name: str) -> str:
        """Return ``x-rate-limit-<name>`` where it is a whole number, else nothing."""
        value = self.headers.get(f"x-rate-limit-{name}", "")
        return value if value.isdigit() else ""


@dataclass
class _Turn:
    """Those who wait in this process: one asks Redis, the others stand in line behind it."""

    line: asyncio.Lock = field(default_factory=asyncio.Lock)
    returned: asyncio.Event = field(default_factory=asyncio.Event)
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
        self._turns: defaultdict[str, _Turn] = defaultdict(_Turn)
        self._endpoints: set[str] = set()

    @asynccontextmanager
    async def slot(self, endpoint: str, patience_seconds: float) -> AsyncIterator[Slot]:
        """Wait for leave to send one request; raises ``XAllowanceSpent`` when it takes longer than the patience."""
        slot = Slot(uuid.uuid4().hex)
        turn = self._turns[endpoint]
        self._endpoints.add(endpoint)
        await self._wait(endpoint, turn, slot, patience_seconds)
        try:
            yield slot
        finally:
            await asyncio.shield(self._give_back(endpoint, turn, slot))

    async def _wait(self, endpoint: str, turn: _Turn, slot: Slot, patience_seconds: float) -> None:
        deadline = time.monotonic() + patience_seconds
        self._refuse_unless_free_by(endpoint, turn, deadline)
        try:
            async with asyncio.timeout(patience_seconds):
                async with turn.line:
                    while (wait := await self._ask(endpoint, slot)) is not None:
                        turn.free_at = time.monotonic() + wait
                        self._refuse_unless_free_by(endpoint, turn, deadline)
                        await _first(turn.returned, wait or POLL_SECONDS)
        except TimeoutError:
            raise XAllowanceSpent(endpoint=endpoint, retry_after_seconds=_left(turn)) from None

    def _refuse_unless_free_by(self, endpoint: str, turn: _Turn, deadline: float) -> None:
        if turn.free_at > deadline:
            raise XAllowanceSpent(endpoint=endpoint, retry_after_seconds=_left(turn))

    async def _ask(self, endpoint: str, slot: Slot) -> float | None:
        """Return None when the slot is granted, else the seconds to wait (0: until one is given back)."""
        arguments = [slot.id, self._max_in_flight, self._slot_seconds, self._margin]
        granted, wait = await self._run(_RESERVE, endpoint, arguments)
        return None if int(granted) else float(wait)

    async def _give_back(self, endpoint: str, turn: _Turn, slot: Slot) -> None:
        if slot.status == 429:
            X_REFUSED.labels(endpoint).inc()
        if slot.told("remaining"):
            X_ALLOWANCE.labels(endpoint).set(int(slot.told("remaining")))
        told = [slot.told("limit"), slot.told("remaining"), slot.told("reset")]
        # A slot that cannot be given back lapses by itself.
        with suppress(XLimitsUnavailable):
            await self._run(_RETURN, endpoint, [slot.id, slot.status, *told, self._margin, BLIND_SECONDS])
        turn.returned.set()

    async def known(self) -> list[Allowance]:
        """Return what is known of every endpoint that this process has used."""
        return [await self._known(endpoint) for endpoint in sorted(self._endpoints)]

    async def _known(self, endpoint: str) -> Allowance:
        if self._redis is None:
            raise XLimitsUnavailable(retry_after_seconds=2)
        try:
            found: Any = await self._redis.hmget(self._keys(endpoint)[0], ["limit", "remaining", "reset"])
        except (RedisError, OSError, TimeoutError) as error:
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
            except (RedisError, OSError, TimeoutError) as error:
                # Twice is harmless: the slot is the same, the count at worst lower than X's.
                if is_last:
                    raise XLimitsUnavailable(retry_after_seconds=2) from error
        return None

    def _keys(self, endpoint: str) -> tuple[str, str]:
        # The braces keep both keys of an endpoint in one slot of a cluster.
        name = f"castor:{{x:{self._account}:{endpoint}}}"
        return f"{name}:bucket", f"{name}:flights"


def _left(turn: _Turn) -> float:
    return max(1.0, turn.free_at - time.monotonic())


async def _first(event: asyncio.Event, seconds: float) -> None:
    event.clear()
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
