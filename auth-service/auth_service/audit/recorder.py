"""Records security events. The audit log holds no e-mail, address or token in clear."""

from __future__ import annotations

from dataclasses import dataclass

import structlog

from auth_service.audit import repository
from auth_service.crypto.vault import Vault
from auth_service.metrics import AUDIT_EVENTS, AUDIT_LOST
from auth_service.users.client import Client
from castor_chassis import DatabaseUnavailable, current_request
from castor_chassis.storage.postgres import Database

log = structlog.get_logger("castor.auth.audit")


@dataclass(frozen=True)
class Audit:
    """Appends events; within the transaction of what happened, so that both are stored or neither."""

    vault: Vault

    async def record(
        self, db: Database, event: str, *, subject: str | None, client: Client | None = None, **details: object
    ) -> None:
        """Append ``event`` about ``subject`` (a user's id, a service, or None for an unknown caller)."""
        address = self.vault.blind(client.address) if client else None
        info = current_request()
        await repository.insert_event(db, event, subject, address, info.request_id if info else None, details)
        AUDIT_EVENTS.labels(event).inc()

    async def record_if_possible(self, db: Database, event: str, *, subject: str | None, **details: object) -> None:
        """Append ``event``, or only log it while PostgreSQL is away: for events of which nothing else is stored."""
        try:
            await self.record(db, event, subject=subject, client=None, **details)
        except DatabaseUnavailable:
            AUDIT_LOST.labels(event).inc()
            log.warning("audit_event_not_stored", event_name=event, subject=subject, **details)
