"""Rate limits in Redis. Without Redis nobody is limited, and a counter says so."""

from __future__ import annotations

import math
import time

import limits
from limits.aio.storage import RedisStorage

from castor_chassis.context import current_request
from castor_chassis.metrics import RATE_LIMIT_ERRORS, RATE_LIMITED
from castor_chassis.settings import ServiceSettings, reveal
from castor_chassis.storage.redis import redis_optional
from castor_chassis.wire.errors import RateLimited, rate_limit_headers

_MAX_CALLERS = 10_000


class RateLimiter:
    """A fixed window per caller, for example ``1200/minute``."""

    def __init__(self, redis_url: str | None, rate: str, *, service: str, timeout_seconds: float = 0.5) -> None:
        self._item = limits.parse(rate)
        self._service = service
        self._storage: RedisStorage | None = None
        self._ends: dict[str, float] = {}
        """When the windows of callers end, as Unix times, so that Redis is asked once a window."""
        if redis_url is not None:
            storage = RedisStorage(
                f"async+{redis_url}",
                implementation="redispy",
                key_prefix="castor:limit",
                socket_timeout=timeout_seconds,
                socket_connect_timeout=timeout_seconds,
            )
            self._storage = storage

    async def check(self, caller: str, kind: str) -> None:
        """Count one request of ``caller``; raises ``RateLimited`` above the limit, never when Redis is away.

        What is left becomes headers of the answer.
        """
        used, wait = await self._hit(caller)
        if used is None:
            return
        left = self._item.amount - used
        if left < 0:
            RATE_LIMITED.labels(kind).inc()
            raise RateLimited(limit=str(self._item), retry_after_seconds=wait)
        info = current_request()
        if info is not None:
            info.rate_limit = rate_limit_headers(self._item.amount, left, math.ceil(wait))

    async def _hit(self, caller: str) -> tuple[int | None, float]:
        """Count one request; return how many there were in this window, None without Redis, and its rest in seconds."""
        if self._storage is None:
            return None, 0
        key, now = self._item.key_for(self._service, caller), time.time()
        with redis_optional(RATE_LIMIT_ERRORS):
            used = await self._storage.incr(key, self._item.get_expiry())
            if used == 1:
                self._remember(key, now + self._item.get_expiry())
            elif self._ends.get(key, 0) <= now:
                self._remember(key, await self._storage.get_expiry(key))
            return used, max(1.0, self._ends[key] - now)
        return None, 0

    def _remember(self, key: str, end: float) -> None:
        if len(self._ends) >= _MAX_CALLERS:
            self._ends.clear()
        self._ends[key] = end


def limiter_of(settings: ServiceSettings, rate: str, name: str = "") -> RateLimiter:
    """Return a limiter that counts where the settings say; the name keeps its counts apart from those of others."""
    url = reveal(settings.limits_redis_url) or reveal(settings.redis_url)
    service = f"{settings.service_name}/{name}" if name else settings.service_name
    return RateLimiter(url, rate, service=service, timeout_seconds=settings.redis_timeout_seconds)
