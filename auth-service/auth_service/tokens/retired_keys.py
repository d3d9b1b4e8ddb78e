"""The keys of tokens that are shown as a hint only: those in force, and those that retired within a month."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from auth_service.crypto.vault import Vault
from auth_service.errors import WrongKeySecret
from auth_service.tokens import key_repository
from auth_service.tokens.signing_keys import Offload, SigningKeys, unsealed
from castor_chassis import Postgres


@dataclass(frozen=True)
class KeysOfHints:
    """Finds public keys by their id. Nothing that opens anything may be verified with a retired one."""

    held: SigningKeys
    postgres: Postgres
    vault: Vault
    offload: Offload

    async def key(self, kid: str) -> Any | None:
        """Return a public key, or None: it is unknown, has leaked, or retired long ago; raises ``Unavailable``."""
        held = await self.held.key(kid)
        # What PostgreSQL cannot hold names no key.
        if held is not None or not kid.isprintable():
            return held
        stored = await key_repository.retired(self.postgres, kid)
        if stored is None:
            return None
        with suppress(WrongKeySecret):
            return (await self.offload(unsealed, self.vault, stored)).public
        return None
