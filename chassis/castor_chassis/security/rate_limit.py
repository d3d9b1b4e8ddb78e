"""Rate limits in Redis. Without Redis nobody is limited, and a counter says so."""

from __future__ import annotations

import time

import limits
from limits.aio.storage import RedisStorage
from limits.aio.strategies import FixedWindowRateLimiter

from castor_chassis.metrics import RATE_LIMIT_ERRORS, RATE_LIMITED
from castor_chassis.settings import ServiceSettings, reveal
from castor_chassis.storage.redis import redis_optional
from castor_chassis.wire.errors import RateLimited


class RateLimiter:
    """A fixed window per caller, for example ``1200/minute``."""

    def __init__(self, redis_url: str | None, rate: str, *, service: str, timeout_seconds: float = 0.5) -> None:
        self._item = limits.parse(rate)
        self._service = service
        self._window: FixedWindowRateLimiter | None = None
        if redis_url is not None:
            storage = RedisStorage(
                f"async+{redis_url}",
                implementation="redispy",
                key_prefix="castor:limit",
                socket_timeout=timeout_seconds,
                socket_connect_timeout=timeout_seconds,
            )
            self._window = FixedWindowRateLimiter(storage)

    async def check(self, caller: str, kind: str) -> None:
        """Count one request of ``caller``; raises ``RateLimited`` above the limit, never when Redis is away."""
        reset_time = await self._exceeded_until(caller)
        if reset_time is not None:
            RATE_LIMITED.labels(kind).inc()
            raise RateLimited(limit=str(self._item), retry_after_seconds=max(1.0, reset_time - time.time()))

    async def _exceeded_until(self, caller: str) -> float | None:
        """Count one request; return the Unix time at which the window ends if it is one too many."""
        if self._window is None:
            return None
        with redis_optional(RATE_LIMIT_ERRORS):
            if not await self._window.hit(self._item, self._service, caller):
                stats = await self._window.get_window_stats(self._item, self._service, caller)
                return stats.reset_time
        return None


def limiter_of(settings: ServiceSettings, rate: str, name: str = "") -> RateLimiter:
    """Return a limiter that counts where the settings say; the name keeps its counts apart from those of others."""
    url = reveal(settings.limits_redis_url) or reveal(settings.redis_url)
    service = f"{settings.service_name}/{name}" if name else settings.service_name
    return RateLimiter(url, rate, service=service, timeout_seconds=settings.redis_timeout_seconds)
