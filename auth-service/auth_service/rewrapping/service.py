"""Opens what is stored with any secret of the ring, and seals it with the present one."""

from __future__ import annotations

from dataclasses import dataclass

from auth_service.crypto.vault import Vault
from auth_service.errors import WrongKeySecret
from auth_service.rewrapping import repository
from castor_chassis import Postgres

_BATCH = 500


@dataclass
class Rewrapped:
    """How many texts of a kind were sealed anew, and which no secret of the ring opens."""

    sealed_anew: int
    unreadable: list[str]


async def rewrap(postgres: Postgres, vault: Vault, kind: str) -> Rewrapped:
    """Seal every text of a kind (see ``repository.KINDS``) that another secret than the present one seals.

    Each is replaced by a statement of its own: it may be interrupted, repeated, and run while the service runs.
    """
    done, after = Rewrapped(0, []), ""
    while True:
        batch = await repository.sealed(postgres, kind, after, _BATCH)
        for row_id, old in batch:
            if vault.is_sealed_with_present(old):
                continue
            new = _sealed_anew(vault, kind, row_id, old)
            if new is None:
                done.unreadable.append(row_id)
            else:
                done.sealed_anew += await repository.replace(postgres, kind, row_id, old, new)
        if len(batch) < _BATCH:
            return done
        after = batch[-1][0]


def _sealed_anew(vault: Vault, kind: str, row_id: str, old: bytes) -> bytes | None:
    if kind == "signing_keys":
        try:
            return vault.seal(row_id, vault.unseal(row_id, old))
        except WrongKeySecret:
            return None
    purpose = f"totp {row_id}" if kind == "totp_keys" else "outbox"
    text = vault.unseal_text(purpose, old)
    return None if text is None else vault.seal_text(purpose, text)
