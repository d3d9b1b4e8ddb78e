"""Composes the mails to account holders: what an address is sent depends on whether it has an account.

That is looked up here, when a mail is sent, and not in the request that caused it: the request takes the same time
for every address.
"""

from __future__ import annotations

import secrets
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
    """Composes the message of a queued mail; makes the one-time token in it."""

    postgres: Postgres
    registration_lifetime: timedelta
    token_lifetime: timedelta

    async def compose(self, mail: QueuedMail) -> Message | None:
        """Return the message to send; None when the account is gone, closed, or changed since it was asked for."""
        if mail.kind == "registration":
            return await self._registration(mail)
        if mail.kind == "password_reset":
            return await self._password_reset(mail)
        if mail.kind == "email_change":
            return await self._email_change(mail)
        if mail.kind == "email_change_asked" and await self._unchanged(mail.to, mail) is None:
            return None
        keys, passkeys = mail.details.get("keys", ""), mail.details.get("passkeys", "0")
        return message(mail.kind, mail.to, keys=keys, passkeys=passkeys)

    async def _registration(self, mail: QueuedMail) -> Message:
        if await users.by_email(self.postgres, mail.to) is not None:
            return message("address_taken", mail.to)
        token = mail.details["token"]
        return message("confirm_registration", mail.to, token, valid_for=self.registration_lifetime)

    async def _password_reset(self, mail: QueuedMail) -> Message | None:
        user = await self._unchanged(mail.to, mail)
        if user is None or not user.is_active:
            return None
        return await self._with_token("password_reset", user, mail.to)

    async def _email_change(self, mail: QueuedMail) -> Message | None:
        user = await self._unchanged(mail.details["of"], mail)
        if user is None:
            return None
        if await users.by_email(self.postgres, mail.to) is not None:
            return message("address_taken", mail.to)
        return await self._with_token("email_change", user, mail.to)

    async def _unchanged(self, email: str, mail: QueuedMail) -> User | None:
        """Return the account of ``email``; None when there is none, or it has changed since the mail was asked for."""
        user = await users.by_email(self.postgres, email)
        return None if user is None or mail.at < user.credentials_changed_at else user

    async def _with_token(self, purpose: Purpose, user: User, to: str) -> Message:
        token = secrets.token_urlsafe(32)
        await one_time_token_repository.put(self.postgres, digest(token), purpose, user, to, self.token_lifetime)
        return message(purpose, to, token, valid_for=self.token_lifetime)
