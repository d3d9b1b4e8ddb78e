"""Service clients that authenticate with a secret: ``castor-client-<id>`` and 256 random bits, stored hashed."""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass
from datetime import timedelta

import asyncpg

from auth_service.audit.recorder import Audit
from auth_service.credentials import service_client_repository
from auth_service.credentials.model import ServiceClient
from auth_service.crypto.digests import digest
from auth_service.errors import ClientNotFound, InvalidClient
from auth_service.users.client import Client
from castor_chassis import Postgres

_LISTED = 10_000


@dataclass(frozen=True)
class ServiceClients:
    """Creates, lists, rotates, revokes and authenticates clients."""

    postgres: Postgres
    audit: Audit

    async def create(self, service: str, by: str, client: Client) -> tuple[ServiceClient, str]:
        """Return a new client of ``service`` and its secret, which is not stored."""
        client_id, secret = f"castor-client-{secrets.token_hex(6)}", secrets.token_urlsafe(32)
        async with self.postgres.transaction() as db:
            made = await service_client_repository.insert(db, client_id, service, digest(secret))
            await self._record(db, "service_client_created", by, made, client)
        return made, secret

    async def in_force(self) -> list[ServiceClient]:
        """Return the clients in force, newest first, at most 10,000."""
        return await service_client_repository.in_force(self.postgres, _LISTED)

    async def rotate(self, client_id: str, grace: timedelta, by: str, client: Client) -> tuple[ServiceClient, str]:
        """Return the client with another secret; the one before is valid for ``grace``. Raises ``ClientNotFound``."""
        secret = secrets.token_urlsafe(32)
        async with self.postgres.transaction() as db:
            changed = await service_client_repository.rotate(db, client_id, digest(secret), grace)
            if changed is None:
                raise ClientNotFound(client_id=client_id)
            await self._record(db, "service_client_rotated", by, changed, client)
        return changed, secret

    async def revoke(self, client_id: str, by: str, client: Client) -> ServiceClient:
        """End a client; the tokens that it has are valid for five minutes at most. Raises ``ClientNotFound``."""
        async with self.postgres.transaction() as db:
            ended = await service_client_repository.revoke(db, client_id)
            if ended is None:
                raise ClientNotFound(client_id=client_id)
            await self._record(db, "service_client_revoked", by, ended, client)
        return ended

    async def _record(self, db: asyncpg.Connection, event: str, by: str, about: ServiceClient, client: Client) -> None:
        await self.audit.record(db, event, subject=by, client=client, about=about.id, service=about.service)

    async def service_of(self, client_id: str, secret: str) -> str:
        """Return the service that a client stands for; raises ``InvalidClient``."""
        held = await service_client_repository.secrets(self.postgres, client_id.replace("\x00", ""))
        presented = digest(secret)
        if held is None or not any(hmac.compare_digest(stored, presented) for stored in held.hashes):
            raise InvalidClient("the client is unknown or its secret is wrong")
        await service_client_repository.note_use(self.postgres, client_id)
        return held.service
