"""The keys that sign our tokens: made once, stored sealed, held in memory.

In memory they outlive an outage of PostgreSQL: tokens are issued to services, and verified everywhere,
while it is away.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import structlog
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from jose import jwk

from auth_service.crypto.vault import Vault
from auth_service.metrics import SIGNING_KEYS
from auth_service.users.repository import AuthStore, SealedKey
from castor_chassis import Gate, ServiceError, Unavailable
from castor_chassis.security.revocation import Revocation

ALGORITHM = "RS256"
KEY_BITS = 2048
log = structlog.get_logger("auth.keys")
Offload = Callable[..., Awaitable[Any]]
"""``await offload(function, *args)`` runs CPU work on a thread."""


@dataclass(frozen=True, slots=True)
class SigningKey:
    """One key pair, in jose's terms."""

    kid: str
    private: Any
    public: Any
    signs: bool

    def published(self) -> dict[str, str]:
        """Return the public half as RFC 7517 writes it."""
        return {**self.public.to_dict(), "kid": self.kid, "use": "sig"}


class SigningKeys:
    """The keys in force; the ``KeySource`` of this service's own verifier. Empty until loaded."""

    def __init__(self) -> None:
        self._keys: dict[str, SigningKey] = {}
        self._stale = asyncio.Event()

    def forget(self, revocation: Revocation) -> None:
        """Drop a key that has leaked, and read at once what there is instead."""
        if revocation.kind == "signing_key":
            self._keys.pop(revocation.subject, None)
            self._stale.set()

    async def key(self, kid: str) -> Any | None:
        """Return the public key ``kid``, or None; raises ``Unavailable`` before the first was loaded."""
        self._require_some()
        held = self._keys.get(kid)
        return held and held.public

    def signer(self) -> SigningKey:
        """Return the key to sign with; raises ``Unavailable`` when there is none."""
        for key in self._keys.values():
            if key.signs:
                return key
        raise self._absent()

    def published(self) -> list[dict[str, str]]:
        """Return the public keys; raises ``Unavailable`` before the first was loaded."""
        self._require_some()
        return [key.published() for key in self._keys.values()]

    def _require_some(self) -> None:
        if not self._keys:
            raise self._absent()

    @staticmethod
    def _absent() -> Unavailable:
        return Unavailable(reason="The signing keys have not been loaded yet", retry_after_seconds=2)

    async def load(self, store: AuthStore, vault: Vault, offload: Offload) -> None:
        """Read the keys; make the first if there is none.

        Raises ``WrongKeySecret`` when one cannot be opened; the keys at hand then stay.
        """
        stored = await store.signing_keys()
        if not any(key.signs for key in stored):
            stored = await _make_first(store, vault, offload)
        fresh = [self._keys.get(key.kid) or await offload(_opened, vault, key) for key in stored]
        signs = {key.kid: key.signs for key in stored}
        self._keys = {key.kid: SigningKey(key.kid, key.private, key.public, signs[key.kid]) for key in fresh}
        SIGNING_KEYS.set(len(self._keys))

    async def keep(self, store: AuthStore, vault: Vault, offload: Offload, gate: Gate, every_seconds: float) -> None:
        """Load the keys, again and again; the gate says why there are none."""
        while True:
            try:
                await self.load(store, vault, offload)
            except ServiceError as error:
                if not self._keys:
                    gate.fail(str(error))
                raise
            gate.open()
            self._stale.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(every_seconds):
                    await self._stale.wait()


async def _make_first(store: AuthStore, vault: Vault, offload: Offload) -> list[SealedKey]:
    async with store.transaction() as db:
        await db.lock_signing_keys()
        stored = await db.signing_keys()
        if any(key.signs for key in stored):
            return stored
        kid = secrets.token_urlsafe(12)
        await db.insert_signing_key(kid, vault.seal(kid, await offload(new_private_pem)))
        log.info("signing_key_made", kid=kid)
        return await db.signing_keys()


def new_private_pem() -> bytes:
    key = rsa.generate_private_key(public_exponent=65537, key_size=KEY_BITS)
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _opened(vault: Vault, stored: SealedKey) -> SigningKey:
    private = jwk.construct(vault.unseal(stored.kid, stored.sealed).decode(), ALGORITHM)
    return SigningKey(stored.kid, private, private.public_key(), stored.signs)
