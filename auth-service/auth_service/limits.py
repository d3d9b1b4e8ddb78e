"""How often one may try to log in or register.

An account is limited per address: a limit on the account alone would let anyone lock its owner out.
Without Redis nobody is limited, and ``castor_rate_limit_errors_total`` says so.
"""

from __future__ import annotations

from auth_service.audit import Client
from auth_service.settings import AuthSettings
from auth_service.vault import Vault
from castor_chassis.ratelimit import RateLimiter


class AttemptLimits:
    """Fixed windows in Redis, under blinded names. Every method raises ``RateLimited``."""

    def __init__(self, settings: AuthSettings, vault: Vault) -> None:
        self._vault = vault
        self._url = str(settings.redis_url) if settings.redis_url else None
        self._wait = settings.redis_timeout_seconds
        self._account = self._limiter("account", settings.login_rate_limit)
        self._address = self._limiter("address", settings.address_rate_limit)
        self._registration = self._limiter("registration", settings.registration_rate_limit)

    def _limiter(self, name: str, rate: str) -> RateLimiter:
        return RateLimiter(self._url, rate, service=f"auth-service/{name}", timeout_seconds=self._wait)

    async def login(self, email: str, client: Client) -> None:
        """Count one login."""
        await self._address.check(self._vault.blind(client.address), "login_address")
        await self._account.check(self._vault.blind(f"{email}\n{client.address}"), "login_account")

    async def registration(self, client: Client) -> None:
        """Count one registration."""
        await self._registration.check(self._vault.blind(client.address), "registration")
