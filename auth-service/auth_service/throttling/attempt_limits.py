"""Limits on logins, MFA codes, registrations and mails that anybody may ask for.

Failed logins delay the next, per account and per address. A device that has logged in before has a bucket of its own,
so nobody can lock an owner out of the account by failing on purpose; from a new device the right password is admitted
when the delay is over, and at once after a reset of the password. Names of buckets are blinded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from auth_service.crypto.vault import Vault
from auth_service.errors import TooManyAttempts
from auth_service.metrics import STUFFING, THROTTLED
from auth_service.throttling.backoff import Backoff, Delays
from auth_service.users.client import Client
from castor_chassis.security.rate_limit import RateLimiter

_STUFFING_WINDOW_SECONDS = 3600
_STUFFING = ("many_accounts_from_address", "many_addresses_on_account")


@dataclass(frozen=True, slots=True)
class AttemptPolicy:
    """The numbers that ``AttemptLimits`` applies."""

    per_account: Delays
    per_address: Delays
    known_device_seconds: float
    stuffing_accounts_per_address: int
    """Accounts on which one address may fail in an hour before that counts as credential stuffing."""
    stuffing_addresses_per_account: int
    logins_per_address: str
    """A rate such as ``60/minute``; so are the next two."""
    registrations_per_address: str
    messages_per_recipient: str


@dataclass(frozen=True, slots=True)
class Admission:
    """An attempt that was admitted, and where it is counted."""

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
    """Rate limits and back-off, under blinded names.

    ``limiter(rate, name)`` makes the rate limiter of one kind of attempt.
    """

    def __init__(
        self, policy: AttemptPolicy, vault: Vault, backoff: Backoff, limiter: Callable[[str, str], RateLimiter]
    ) -> None:
        self._policy = policy
        self._vault = vault
        self._backoff = backoff
        self._logins = limiter(policy.logins_per_address, "address")
        self._registrations = limiter(policy.registrations_per_address, "registration")
        self._messages = limiter(policy.messages_per_recipient, "recovery")

    async def login(self, email: str, client: Client) -> Admission:
        """Count one login as failed; raises ``TooManyAttempts`` when it comes too early, or ``RateLimited``."""
        account, address = self._vault.blind(email), self._vault.blind(client.address)
        await self._logins.check(address, "login_address")
        device = self._device(email, client)
        known = await self.knows_device(email, client)
        admission = Admission(account, address, device, known, 0)
        return replace(admission, failures=await self._admit_all(list(admission.buckets())))

    async def _admit_all(self, buckets: Sequence[str]) -> int:
        """Count an attempt in all buckets or in none; return the failures of the last before it."""
        failures = 0
        for number, bucket in enumerate(buckets):
            try:
                failures = await self._admit(bucket)
            except TooManyAttempts:
                for admitted in buckets[:number]:
                    await self._backoff.forgive(admitted)
                raise
        return failures

    async def _admit(self, bucket: str) -> int:
        kind = bucket.partition(":")[0]
        delays = self._policy.per_address if kind == "address" else self._policy.per_account
        decision = await self._backoff.admit(bucket, delays)
        if not decision.admitted:
            THROTTLED.labels(kind).inc()
            raise TooManyAttempts(retry_after_seconds=decision.wait_seconds + 0.5)
        return decision.failures

    async def succeeded(self, admission: Admission) -> None:
        """Take the failure back that ``login`` counted."""
        for bucket in admission.buckets():
            await self._backoff.forgive(bucket)

    async def failed(self, admission: Admission) -> list[str]:
        """Count which address failed on which account.

        Returns the kinds of credential stuffing that this looks like and that were not reported within the hour.
        """
        limits = self._policy.stuffing_accounts_per_address, self._policy.stuffing_addresses_per_account
        pairs = (admission.address, admission.account), (admission.account, admission.address)
        reported = []
        for kind, limit, (one, other) in zip(_STUFFING, limits, pairs, strict=True):
            count = await self._backoff.count_distinct(f"{kind}:{one}", other, _STUFFING_WINDOW_SECONDS)
            if count is not None and count > limit:
                STUFFING.labels(kind).inc()
                if await self._is_first_report(f"said:{kind}:{one}"):
                    reported.append(kind)
        return reported

    async def _is_first_report(self, marker: str) -> bool:
        if await self._backoff.is_marked(marker):
            return False
        await self._backoff.mark(marker, _STUFFING_WINDOW_SECONDS)
        return True

    async def remember_device(self, email: str, client: Client) -> None:
        """Know this device of this account from now on."""
        await self._backoff.mark(f"known:{self._device(email, client)}", self._policy.known_device_seconds)

    async def knows_device(self, email: str, client: Client) -> bool:
        """Return whether this device has logged in to this account before, within the time that it is known."""
        return await self._backoff.is_marked(f"known:{self._device(email, client)}")

    def _device(self, email: str, client: Client) -> str:
        return self._vault.blind(f"{email}\n{client.fingerprint}")

    async def mfa_code(self, user_id: str) -> str:
        """Count one MFA code as failed and return its bucket; raises ``TooManyAttempts``."""
        bucket = f"code:{user_id}"
        await self._admit(bucket)
        return bucket

    async def forgive(self, bucket: str) -> None:
        """Take the failure back that ``mfa_code`` counted."""
        await self._backoff.forgive(bucket)

    async def registration(self, client: Client) -> None:
        """Count one registration or one-time token; raises ``RateLimited``."""
        await self._registrations.check(self._vault.blind(client.address), "registration")

    async def message(self, email: str, client: Client) -> None:
        """Count one mail that somebody asks for without a session: per address of the caller, and per recipient.

        Raises ``RateLimited``.
        """
        await self.registration(client)
        await self._messages.check(self._vault.blind(email), "recovery")
