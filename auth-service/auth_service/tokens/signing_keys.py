"""The keys that sign access tokens: made once, stored sealed, held in memory.

In memory they outlive an outage of PostgreSQL: tokens are issued to services, and verified everywhere,
while it is away.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import structlog
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from jose import jwk

from auth_service.crypto.vault import Vault
from auth_service.metrics import SIGNING_KEYS
from auth_service.tokens import key_repository
from auth_service.tokens.key_repository import SealedKey
from castor_chassis import Gate, Postgres, ServiceError, Unavailable, Wakeup
from castor_chassis.security.revocation import Revocation

ALGORITHM = "RS256"
KEY_BITS = 2048
log = structlog.get_logger("castor.auth.keys")
Offload = Callable[..., Awaitable[Any]]
"""``await offload(function, *args)`` runs CPU work on a thread."""


@dataclass(frozen=True, slots=True)
class SigningKey:
    """One key pair, as objects of jose."""

    kid: str
    private: Any
    public: Any
    signs: bool
    """Whether it has been activated; a key is published some time before."""

    def published(self) -> dict[str, str]:
        """Return the public half as a JWK (RFC 7517)."""
        return {**self.public.to_dict(), "kid": self.kid, "use": "sig"}


class SigningKeys:
    """The keys in force; the ``KeySource`` of this service's own verifier. Empty until loaded."""

    def __init__(self) -> None:
        self._keys: dict[str, SigningKey] = {}
        self._leaked: set[str] = set()
        self._stale = Wakeup()

    def forget(self, revocation: Revocation) -> None:
        """Drop a key that has leaked, and have its replacement read at once."""
        if revocation.kind == "signing_key":
            self._keys.pop(revocation.subject, None)
            self._leaked.add(revocation.subject)
            self._stale.set()

    async def key(self, kid: str) -> Any | None:
        """Return the public key ``kid``, or None; raises ``Unavailable`` before the first was loaded."""
        self._require_loaded()
        held = self._keys.get(kid)
        return held and held.public

    def active(self) -> SigningKey:
        """Return the key to sign with; raises ``Unavailable`` when there is none."""
        for key in self._keys.values():
            if key.signs:
                return key
        raise self._not_loaded()

    def published(self) -> list[dict[str, str]]:
        """Return the public keys; raises ``Unavailable`` before the first was loaded."""
        self._require_loaded()
        return [key.published() for key in self._keys.values()]

    def _require_loaded(self) -> None:
        if not self._keys:
            raise self._not_loaded()

    @staticmethod
    def _not_loaded() -> Unavailable:
        return Unavailable(reason="The signing keys have not been loaded yet", retry_after_seconds=2)

    async def load(self, postgres: Postgres, vault: Vault, offload: Offload) -> None:
        """Read the keys; make the first if there is none.

        Raises ``WrongKeySecret`` when one cannot be unsealed; the keys that were loaded before then stay.
        """
        stored = await key_repository.in_force(postgres)
        if not any(key.signs for key in stored):
            stored = await _make_first(postgres, vault, offload)
        fresh = [self._keys.get(key.kid) or await offload(unsealed, vault, key) for key in stored]
        signs = {key.kid: key.signs for key in stored if key.kid not in self._leaked}
        held = [key for key in fresh if key.kid in signs]
        self._keys = {key.kid: SigningKey(key.kid, key.private, key.public, signs[key.kid]) for key in held}
        SIGNING_KEYS.set(len(self._keys))

    async def run(self, postgres: Postgres, vault: Vault, offload: Offload, gate: Gate, every_seconds: float) -> None:
        """Load the keys every ``every_seconds`` until cancelled; while there are none, the gate says why."""
        while True:
            try:
                await self.load(postgres, vault, offload)
            except ServiceError as error:
                if not self._keys:
                    gate.fail(str(error))
                raise
            gate.open()
            await self._stale.wait(every_seconds)


async def _make_first(postgres: Postgres, vault: Vault, offload: Offload) -> list[SealedKey]:
    async with postgres.transaction() as db:
        await key_repository.lock(db)
        stored = await key_repository.in_force(db)
        if any(key.signs for key in stored):
            return stored
        kid = secrets.token_urlsafe(12)
        await key_repository.insert(db, kid, vault.seal(kid, await offload(new_private_pem)), ahead=timedelta(0))
        log.info("signing_key_made", kid=kid)
        return await key_repository.in_force(db)


def new_private_pem() -> bytes:
    """Return a new RSA private key as unencrypted PKCS #8 PEM; takes CPU, so call it on a thread."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=KEY_BITS)
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def unsealed(vault: Vault, stored: SealedKey) -> SigningKey:
    """Return the key pair of a stored key; takes CPU. Raises ``WrongKeySecret``."""
    private = jwk.construct(vault.unseal(stored.kid, stored.sealed).decode(), ALGORITHM)
    return SigningKey(stored.kid, private, private.public_key(), stored.signs)
