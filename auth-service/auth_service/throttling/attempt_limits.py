"""How often one may try to log in, register or ask for messages.

Failed logins make the next wait, per account and per address. Who logged in before from the same device has a
bucket of his own, so nobody can lock an owner out of the account by failing on purpose; from a new device the right
password is let in when the delay is over, and at once after a reset of the password. Names of buckets are blinded.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from redis.asyncio import Redis

from auth_service.audit.recorder import Client
from auth_service.crypto.vault import Vault
from auth_service.errors import TooManyAttempts
from auth_service.metrics import STUFFING, THROTTLED
from auth_service.settings import AuthSettings
from auth_service.throttling.backoff import Delays, Throttle
from castor_chassis.security.rate_limit import RateLimiter

_STUFFING_WINDOW_SECONDS = 3600


@dataclass(frozen=True, slots=True)
class Admission:
    """An attempt that may go on, and where it is counted."""

    account: str
    address: str
    device: str
    known: bool
    failures: int
    """Attempts on the account that failed before this one."""

    def buckets(self) -> Iterator[str]:
        """Yield the names of the buckets that count this attempt."""
        if self.known:
            yield f"device:{self.device}"
        else:
            yield f"address:{self.address}"
            yield f"account:{self.account}"


class AttemptLimits:
    """Fixed windows and growing delays, under blinded names."""

    def __init__(self, settings: AuthSettings, vault: Vault, redis: Redis | None) -> None:
        self._vault = vault
        self._url = str(settings.redis_url) if settings.redis_url else None
        self._wait = settings.redis_timeout_seconds
        self._address = self._limiter("address", settings.address_rate_limit)
        self._registration = self._limiter("registration", settings.registration_rate_limit)
        self._recovery = self._limiter("recovery", settings.recovery_rate_limit)
        self._throttle = Throttle(redis)
        forgotten = settings.throttle_forget_hours * 3600
        first, longest = settings.throttle_first_seconds, settings.throttle_longest_seconds
        self._per_account = Delays(settings.throttle_free_attempts, first, longest, forgotten)
        self._per_address = Delays(settings.throttle_free_attempts_per_address, first, longest, forgotten)
        self._known_seconds = settings.known_device_days * 86_400
        self._suspicious = settings.stuffing_accounts_per_address, settings.stuffing_addresses_per_account

    def _limiter(self, name: str, rate: str) -> RateLimiter:
        return RateLimiter(self._url, rate, service=f"auth-service/{name}", timeout_seconds=self._wait)

    async def login(self, email: str, client: Client) -> Admission:
        """Count one login as failed; raises ``TooManyAttempts`` when it comes too early, or ``RateLimited``."""
        account, address = self._vault.blind(email), self._vault.blind(client.address)
        await self._address.check(address, "login_address")
        device = self._device(email, client)
        known = await self._throttle.remembers(f"known:{device}")
        admission = Admission(account, address, device, known, 0)
        failures = 0
        for bucket in admission.buckets():
            failures = await self._admit(bucket)
        return replace(admission, failures=failures)

    async def _admit(self, bucket: str) -> int:
        kind = bucket.partition(":")[0]
        answer = await self._throttle.admit(bucket, self._per_address if kind == "address" else self._per_account)
        if not answer.admitted:
            THROTTLED.labels(kind).inc()
            raise TooManyAttempts(retry_after_seconds=answer.wait_seconds + 0.5)
        return answer.failures

    async def succeeded(self, admission: Admission) -> None:
        """Take the failure back that ``login`` counted."""
        for bucket in admission.buckets():
            await self._throttle.forgive(bucket)

    async def failed(self, admission: Admission) -> list[str]:
        """Count who tries whom; return what looks like credential stuffing and was not said within the hour."""
        hour, found = _STUFFING_WINDOW_SECONDS, []
        pairs = (admission.address, admission.account), (admission.account, admission.address)
        for kind, limit, (one, other) in zip(_STUFFING, self._suspicious, pairs, strict=True):
            count = await self._throttle.distinct(f"{kind}:{one}", other, hour)
            if count is not None and count > limit:
                STUFFING.labels(kind).inc()
                if not await self._throttle.remembers(f"said:{kind}:{one}"):
                    await self._throttle.remember(f"said:{kind}:{one}", hour)
                    found.append(kind)
        return found

    async def welcome(self, email: str, client: Client) -> None:
        """Know this device of this account from now on."""
        await self._throttle.remember(f"known:{self._device(email, client)}", self._known_seconds)

    def _device(self, email: str, client: Client) -> str:
        return self._vault.blind(f"{email}\n{client.fingerprint}")

    async def second_factor(self, user_id: str) -> str:
        """Count one code as failed and return its bucket; raises ``TooManyAttempts``."""
        bucket = f"code:{user_id}"
        await self._admit(bucket)
        return bucket

    async def forgive(self, bucket: str) -> None:
        """Take the failure back that ``second_factor`` counted."""
        await self._throttle.forgive(bucket)

    async def registration(self, client: Client) -> None:
        """Count one registration or one-time token; raises ``RateLimited``."""
        await self._registration.check(self._vault.blind(client.address), "registration")

    async def recovery(self, email: str, client: Client) -> None:
        """Count one message that a stranger wants sent: per address of the caller, and per addressee."""
        await self.registration(client)
        await self._recovery.check(self._vault.blind(email), "recovery")


_STUFFING = ("many_accounts_from_address", "many_addresses_on_account")
