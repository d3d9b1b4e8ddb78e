"""The record of security events. It holds no e-mail, address or token in clear."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import structlog

from auth_service.crypto.vault import Vault
from auth_service.metrics import AUDIT_EVENTS, AUDIT_LOST
from auth_service.users.repository import AuthStore
from castor_chassis import DatabaseUnavailable, current_request

log = structlog.get_logger("auth.audit")


@dataclass(frozen=True, slots=True)
class Client:
    """Where a request comes from."""

    address: str
    agent: str = ""

    @property
    def fingerprint(self) -> str:
        """Text that two requests of one client share."""
        return f"{self.address}\n{self.agent}"


@dataclass(frozen=True)
class Audit:
    """Appends events; within the transaction of what happened, so that neither is stored alone."""

    vault: Vault

    async def record(
        self, db: AuthStore, event: str, *, subject: str | None, client: Client | None = None, **details: Any
    ) -> None:
        """Append ``event`` about ``subject`` (a user's id, a service, or None for an unknown caller)."""
        address = self.vault.blind(client.address) if client else None
        info = current_request()
        await db.insert_audit_event(event, subject, address, info.request_id if info else None, details)
        AUDIT_EVENTS.labels(event).inc()

    async def record_if_possible(self, db: AuthStore, event: str, *, subject: str, **details: Any) -> None:
        """Append ``event``, or only log it while PostgreSQL is away: for refusals that need no database."""
        try:
            await self.record(db, event, subject=subject, **details)
        except DatabaseUnavailable:
            AUDIT_LOST.labels(event).inc()
            log.warning("audit_event_not_stored", event_name=event, subject=subject, **details)
