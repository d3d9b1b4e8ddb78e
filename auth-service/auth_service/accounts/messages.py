"""Composes the mails to account holders: what an address is sent depends on whether it has an account.

That is looked up here, when a mail is sent, and not in the request that caused it: the request takes the same time
for every address.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from auth_service.accounts import one_time_token_repository
from auth_service.accounts.one_time_token_repository import Purpose
from auth_service.crypto.digests import digest
from auth_service.mail.outbox import QueuedMail
from auth_service.mail.sender import Message
from auth_service.mail.templates import message
from auth_service.users import repository as users
from auth_service.users.model import User
from castor_chassis import Postgres


@dataclass(frozen=True)
class AccountMessages:
    """Composes the messages of a queued mail; makes the one-time tokens in them."""

    postgres: Postgres
    registration_lifetime: timedelta
    token_lifetime: timedelta

    async def compose(self, mail: QueuedMail) -> Sequence[Message]:
        """Return the messages to send; none when the account is gone, closed, or changed since they were asked for."""
        if mail.kind == "registration":
            return [await self._registration(mail)]
        if mail.kind == "password_reset":
            return await self._password_reset(mail)
        if mail.kind == "email_change":
            return await self._email_change(mail)
        return [message(mail.kind, mail.to, keys=mail.details.get("keys", ""))]

    async def _registration(self, mail: QueuedMail) -> Message:
        if await users.by_email(self.postgres, mail.to) is not None:
            return message("address_taken", mail.to)
        token = mail.details["token"]
        return message("confirm_registration", mail.to, token, valid_for=self.registration_lifetime)

    async def _password_reset(self, mail: QueuedMail) -> list[Message]:
        user = await users.by_email(self.postgres, mail.to)
        if user is None or not user.is_active or mail.at < user.credentials_changed_at:
            return []
        return [await self._with_token("password_reset", user, mail.to)]

    async def _email_change(self, mail: QueuedMail) -> list[Message]:
        user = await users.by_email(self.postgres, mail.details["of"])
        if user is None or mail.at < user.credentials_changed_at:
            return []
        notice = message("email_change_asked", user.email)
        if await users.by_email(self.postgres, mail.to) is not None:
            return [notice, message("address_taken", mail.to)]
        return [notice, await self._with_token("email_change", user, mail.to)]

    async def _with_token(self, purpose: Purpose, user: User, to: str) -> Message:
        token = secrets.token_urlsafe(32)
        await one_time_token_repository.put(self.postgres, digest(token), purpose, user, to, self.token_lifetime)
        return message(purpose, to, token, valid_for=self.token_lifetime)
