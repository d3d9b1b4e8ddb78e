"""Service clients that prove themselves by a secret: ``castor-client-<id>`` and 256 random bits, stored hashed."""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass
from datetime import timedelta

from auth_service.audit.recorder import Audit, Client
from auth_service.crypto.digests import digest
from auth_service.errors import ClientNotFound, InvalidClient
from auth_service.tokens import key_repository as rotation_store
from auth_service.tokens.key_repository import ServiceClient
from auth_service.users.repository import AuthStore

_LISTED = 200


@dataclass(frozen=True)
class ServiceClients:
    """Creates, lists, rotates, revokes and recognises clients."""

    store: AuthStore
    audit: Audit

    async def create(self, service: str, by: str, client: Client) -> tuple[ServiceClient, str]:
        """Return a new client of ``service`` and its secret, which is not stored."""
        client_id, secret = f"castor-client-{secrets.token_hex(6)}", secrets.token_urlsafe(32)
        async with self.store.transaction() as db:
            made = await rotation_store.insert_client(db, client_id, service, digest(secret))
            await self._note(db, "service_client_created", by, made, client)
        return made, secret

    async def all(self) -> list[ServiceClient]:
        """Return the clients in force, newest first, at most 200."""
        return await rotation_store.clients(self.store, _LISTED)

    async def rotate(self, client_id: str, grace: timedelta, by: str, client: Client) -> tuple[ServiceClient, str]:
        """Return the client with another secret; the one before holds for ``grace``. Raises ``ClientNotFound``."""
        secret = secrets.token_urlsafe(32)
        async with self.store.transaction() as db:
            changed = await rotation_store.rotate_client(db, client_id, digest(secret), grace)
            if changed is None:
                raise ClientNotFound(client_id=client_id)
            await self._note(db, "service_client_rotated", by, changed, client)
        return changed, secret

    async def revoke(self, client_id: str, by: str, client: Client) -> ServiceClient:
        """End a client; the tokens it has hold for five minutes at most. Raises ``ClientNotFound``."""
        async with self.store.transaction() as db:
            ended = await rotation_store.revoke_client(db, client_id)
            if ended is None:
                raise ClientNotFound(client_id=client_id)
            await self._note(db, "service_client_revoked", by, ended, client)
        return ended

    async def _note(self, db: AuthStore, event: str, by: str, about: ServiceClient, client: Client) -> None:
        await self.audit.record(db, event, subject=by, client=client, about=about.id, service=about.service)

    async def service_of(self, client_id: str, secret: str) -> str:
        """Return the service that a client is; raises ``InvalidClient``."""
        found = await rotation_store.client_secrets(self.store, client_id.replace("\x00", ""))
        presented = digest(secret)
        if found is None or not any(hmac.compare_digest(stored, presented) for stored in found[1]):
            raise InvalidClient("the client is unknown or its secret is wrong")
        await rotation_store.note_client_use(self.store, client_id)
        return found[0]
