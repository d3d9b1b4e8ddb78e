"""Messages to people, stored with what caused them and sent in the background.

A request only appends: it takes as long for an address that has an account as for one that has none, a mail server
that is away delays the mail and nothing else, and no message is lost with a process. A message may be sent twice,
and is given up after ``ATTEMPTS``.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
import time
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import structlog

from auth_service.accounts import registration_repository as account_store
from auth_service.crypto.digests import digest
from auth_service.crypto.vault import Vault
from auth_service.errors import OutboxFull
from auth_service.mail import repository as outbox_store
from auth_service.mail.sender import Notifier, NotifierUnavailable
from auth_service.mail.templates import message
from auth_service.metrics import NOTIFICATIONS, OUTBOX
from auth_service.users.repository import AuthStore, User

log = structlog.get_logger("auth.outbox")
ATTEMPTS = 10
LIMIT = 10_000
_BATCH = 50
_POLL_SECONDS = 1.0
_TIDY_SECONDS = 60.0


@dataclass(frozen=True)
class Outbox:
    """Appends messages, and sends them."""

    store: AuthStore
    vault: Vault
    notifier: Notifier
    registration_lifetime: timedelta
    token_lifetime: timedelta
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    async def append(self, db: AuthStore, kind: str, to: str, **more: Any) -> None:
        """Store a message within a transaction; raises ``OutboxFull`` when nothing has been sent for long."""
        if await outbox_store.size(db) >= LIMIT:
            raise OutboxFull(retry_after_seconds=60)
        await outbox_store.insert(db, self.vault.seal_text("outbox", json.dumps({"kind": kind, "to": to, **more})))
        self._news.set()

    async def work(self) -> None:
        """Send what is due, again and again, and forget what has expired; one replica at a time does."""
        tidy_at = 0.0
        while True:
            self._news.clear()
            if time.monotonic() >= tidy_at:
                await account_store.delete_expired(self.store)
                tidy_at = time.monotonic() + _TIDY_SECONDS
            entries = await outbox_store.due(self.store, _BATCH)
            OUTBOX.set(await outbox_store.size(self.store))
            for entry in entries:
                await self._process(entry)
            if len(entries) < _BATCH:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(_POLL_SECONDS):
                        await self._news.wait()

    async def _process(self, entry: outbox_store.Entry) -> None:
        text = self.vault.unseal_text("outbox", entry.sealed)
        try:
            kind = await self._send(json.loads(text)) if text is not None else "unreadable"
        except NotifierUnavailable as error:
            await self._later(entry, error)
            return
        NOTIFICATIONS.labels(kind, "unreadable" if text is None else "sent").inc()
        await outbox_store.remove(self.store, entry.id)

    async def _later(self, entry: outbox_store.Entry, error: NotifierUnavailable) -> None:
        if entry.attempts + 1 >= ATTEMPTS:
            NOTIFICATIONS.labels("any", "given_up").inc()
            log.error("notification_given_up", attempts=ATTEMPTS, reason=str(error))
            await outbox_store.remove(self.store, entry.id)
            return
        NOTIFICATIONS.labels("any", "postponed").inc()
        log.warning("notification_postponed", attempts=entry.attempts + 1, reason=str(error))
        await outbox_store.postpone(self.store, entry.id, timedelta(seconds=min(600, 2**entry.attempts)))

    async def _send(self, asked: dict[str, Any]) -> str:
        kind, to = asked["kind"], asked["to"]
        if kind == "registration":
            taken = await self.store.user_by_email(to) is not None
            kind = "address_taken" if taken else "confirm_registration"
            await self._deliver(kind, to, None if taken else asked["token"], self.registration_lifetime)
        elif kind == "password_reset":
            user = await self.store.user_by_email(to)
            if user is None or not user.is_active:
                return "nobody"
            await self._with_token(kind, user, to)
        elif kind == "email_change":
            await self._email_change(asked)
        else:
            await self._deliver(kind, to, None, timedelta())
        return str(kind)

    async def _email_change(self, asked: dict[str, Any]) -> None:
        user = await self.store.user_by_email(asked["of"])
        if user is None:
            return
        await self._deliver("email_change_asked", user.email, None, timedelta())
        if await self.store.user_by_email(asked["to"]) is None:
            await self._with_token("email_change", user, asked["to"])
        else:
            await self._deliver("address_taken", asked["to"], None, timedelta())

    async def _with_token(self, purpose: str, user: User, to: str) -> None:
        token = secrets.token_urlsafe(32)
        await account_store.put_token(self.store, digest(token), purpose, user.id, to, self.token_lifetime)
        await self._deliver(purpose, to, token, self.token_lifetime)

    async def _deliver(self, kind: str, to: str, token: str | None, lifetime: timedelta) -> None:
        await self.notifier.deliver(message(kind, to, token, minutes=lifetime.total_seconds() / 60))
