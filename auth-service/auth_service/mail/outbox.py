"""Mails, stored in the transaction that causes them and sent in the background.

A request only appends: it takes as long for an address that has an account as for one that has none, a mail server
that is away delays the mail and nothing else, and no message is lost with a process. A message may be sent twice,
and is given up after ``ATTEMPTS``, whatever it fails with: no message holds up those behind it.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import asyncpg
import structlog

from auth_service.crypto.vault import Vault
from auth_service.errors import OutboxFull
from auth_service.mail import repository
from auth_service.mail.repository import QueuedEntry
from auth_service.mail.sender import MailSender, Message
from auth_service.metrics import NOTIFICATIONS, OUTBOX
from castor_chassis import DatabaseUnavailable, Postgres, Wakeup

log = structlog.get_logger("castor.auth.outbox")
ATTEMPTS = 10
LIMIT = 10_000
ROOM_OF_STRANGERS = LIMIT // 2
"""Mails that anybody may cause are refused from here on, so that they keep nobody from changing an account."""
_BATCH = 50
_POLL_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class QueuedMail:
    """What a request appended: to whom a mail of some kind is to be sent, and what else it takes to write it."""

    kind: str
    to: str
    details: Mapping[str, str]
    at: datetime
    """When it was appended."""


def pause(attempts: int) -> timedelta:
    """Return how long a message waits after its failure number ``attempts``, counted from 0."""
    return timedelta(seconds=min(600, 5 * 2**attempts))


Compose = Callable[[QueuedMail], Awaitable[Message | None]]
"""Returns the message to send, if there is one; called when the mail is sent, not when it is appended."""


@dataclass(frozen=True)
class Outbox:
    """Appends mails, and sends them."""

    postgres: Postgres
    vault: Vault
    sender: MailSender
    compose: Compose
    _appended: Wakeup = field(default_factory=Wakeup)

    async def append(self, db: asyncpg.Connection, kind: str, to: str, room: int = LIMIT, /, **details: str) -> None:
        """Store a mail within a transaction; raises ``OutboxFull`` when ``room`` mails wait."""
        if await repository.size(db) >= room:
            raise OutboxFull(retry_after_seconds=60)
        await repository.insert(db, self.vault.seal_text("outbox", json.dumps({"kind": kind, "to": to, **details})))
        self._appended.set()

    async def run(self) -> None:
        """Send what is due until cancelled; run it on one replica at a time."""
        while True:
            entries = await repository.due(self.postgres, _BATCH)
            OUTBOX.set(await repository.size(self.postgres))
            for entry in entries:
                await self._process(entry)
            if len(entries) < _BATCH:
                await self._appended.wait(_POLL_SECONDS)

    async def _process(self, entry: QueuedEntry) -> None:
        try:
            kind, result = await self._send(entry)
        except DatabaseUnavailable:
            raise
        except Exception as error:
            await self._postpone(entry, error)
            return
        NOTIFICATIONS.labels(kind, result).inc()
        await repository.remove(self.postgres, entry.id)

    async def _send(self, entry: QueuedEntry) -> tuple[str, str]:
        """Return the labels ``kind`` and ``result`` of the metric."""
        text = self.vault.unseal_text("outbox", entry.sealed)
        if text is None:
            return "unreadable", "unreadable"
        queued = json.loads(text)
        kind, to = queued.pop("kind"), queued.pop("to")
        message = await self.compose(QueuedMail(kind, to, queued, entry.created_at))
        if message is None:
            return "nobody", "sent"
        await self.sender.deliver(message)
        return message.kind, "sent"

    async def _postpone(self, entry: QueuedEntry, error: Exception) -> None:
        reason = f"{type(error).__name__}: {error}"
        if entry.attempts + 1 >= ATTEMPTS:
            NOTIFICATIONS.labels("any", "given_up").inc()
            log.error("notification_given_up", attempts=ATTEMPTS, reason=reason)
            await repository.remove(self.postgres, entry.id)
            return
        NOTIFICATIONS.labels("any", "postponed").inc()
        log.warning("notification_postponed", attempts=entry.attempts + 1, reason=reason)
        await repository.postpone(self.postgres, entry.id, pause(entry.attempts))
