"""Changes of accounts: one transaction with the audit events, mails and ended sessions that belong to it."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import asyncpg

from auth_service.accounts import registration_repository
from auth_service.audit.recorder import Audit
from auth_service.credentials import api_key_repository, passkey_repository
from auth_service.credentials.model import AlsoEnded, Remaining
from auth_service.errors import AccountChanged, LastAdministrator, OutboxFull, UserNotFound
from auth_service.mail.outbox import ROOM_OF_STRANGERS, Outbox
from auth_service.revocations.service import Revocations
from auth_service.service_accounts import credential_repository
from auth_service.sessions.service import OpenSession, Sessions
from auth_service.users import repository as users
from auth_service.users.client import Client
from auth_service.users.model import Actor, User
from auth_service.users.roles import DEFAULT_ORGANISATION, Role
from castor_chassis import Postgres

_ENDS_TOKENS_OF_MACHINES = frozenset(
    {"roles_changed", "suspended", "deactivated", "erased", "organisation_changed", "mfa_disabled", "passkey_removed"}
)
"""Reasons that also end the tokens of service accounts of the user: what these may do has changed."""


@dataclass(frozen=True)
class AccountChanges:
    """Begins changes of accounts."""

    postgres: Postgres
    audit: Audit
    outbox: Outbox
    sessions: Sessions
    revocations: Revocations

    @asynccontextmanager
    async def begin(
        self,
        user_id: str | None,
        client: Client,
        *,
        read: User | None = None,
        acting: Actor | None = None,
        session_id: str | None = None,
    ) -> AsyncIterator[AccountChange]:
        """Give a change of an account (None: of no known account) that commits at the end, or not at all.

        Other changes of the account wait until then. ``read`` is the account as it was when its owner was
        authenticated; raises ``AccountChanged`` if its credentials have changed since. ``acting`` is an administrator
        who acts on somebody else's account, whom all audit events name; raises ``UserNotFound`` for an account of
        another organisation than that administrator manages. ``session_id`` is the session of a caller who gave no
        password and adds a way into the account; raises ``AccountChanged`` if it has ended.
        """
        async with self.postgres.transaction() as db:
            within, details = (acting.within, {"by": acting.id}) if acting else (None, {})
            present = await users.lock(db, uuid.UUID(user_id), within=within) if user_id is not None else None
            if acting is not None and present is None:
                raise UserNotFound(user_id=user_id)
            if read is not None and (present is None or not present.has_credentials_of(read)):
                raise AccountChanged
            # A replica may not have heard yet that it ended.
            if session_id is not None and await api_key_repository.session_has_ended(db, uuid.UUID(session_id)):
                raise AccountChanged
            change = AccountChange(self, db, user_id, client, details)
            yield change
            # Last: other transactions that revoke wait from here on, and must find none of our rows locked before.
            for kind, subjects in change.revoked.items():
                await self.revocations.add(db, kind, subjects)
        if change.revoked:
            await self.revocations.settle()


@dataclass
class AccountChange:
    """One change, as long as its transaction is open."""

    _parts: AccountChanges
    db: asyncpg.Connection
    user_id: str | None
    client: Client
    details: dict[str, str]
    revoked: defaultdict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    """Subjects by the kind of their revocation, which the end of the change writes."""

    async def record(self, event: str, *, subject: str | None = None, **details: object) -> None:
        """Append an audit event about the account, or about ``subject``."""
        subject, given = subject or self.user_id, {**self.details, **details}
        await self._parts.audit.record(self.db, event, subject=subject, client=self.client, **given)

    async def mail(self, kind: str, to: str, **details: str) -> None:
        """Append a mail to the outbox; raises ``OutboxFull``."""
        await self._parts.outbox.append(self.db, kind, to, **details)

    async def mail_to_anybody(self, kind: str, to: str, **details: str) -> None:
        """``mail`` of a kind that takes no account to cause; these leave room in the outbox for others."""
        await self._parts.outbox.append(self.db, kind, to, ROOM_OF_STRANGERS, **details)

    async def mail_if_possible(self, kind: str, to: str) -> None:
        """``mail``, or nothing while the outbox is full."""
        with suppress(OutboxFull):
            await self.mail(kind, to)

    async def set_password(self, user: User, password_hash: str) -> None:
        """Store another password."""
        await users.set_password(self.db, user.id, password_hash)

    async def replace_password(self, user: User, password_hash: str, also: AlsoEnded) -> Remaining:
        """Store the password that the owner chose, and mail them; return what opens the account beside it.

        Raises ``OutboxFull``.
        """
        await self.set_password(user, password_hash)
        if also.api_keys:
            await self._revoke_keys(user)
        if also.passkeys:
            await self.remove_passkeys(user)
        keys = await api_key_repository.in_force(self.db, user.id)
        passkeys = await passkey_repository.of_user(self.db, user.id)
        names = ", ".join(f"castor_{key.id}" for key in keys)
        await self.mail("password_changed", user.email, keys=names, passkeys=str(len(passkeys)))
        return Remaining(keys, passkeys)

    async def remove_passkeys(self, user: User) -> None:
        """Delete all passkeys of the account; tokens of the user's service accounts end, as they may do less now."""
        removed = await passkey_repository.delete_all(self.db, user.id)
        if removed:
            await self.record("passkeys_removed", passkeys=removed)
            await self._end_tokens_of_machines(user.id)

    async def _end_tokens_of_machines(self, owner: uuid.UUID) -> None:
        self.revoked["session"] += await credential_repository.renew_sessions_of_owner(self.db, owner)

    async def _revoke_keys(self, user: User) -> None:
        revoked = await api_key_repository.revoke_all(self.db, user.id)
        self.revoked["api_key"] += revoked
        # Tokens that services got in exchange for a key name it in place of a session.
        self.revoked["session"] += revoked
        await self.record("api_keys_revoked", keys=revoked)

    async def begin_session(self, user: User, amr: Sequence[str], **options: Any) -> OpenSession:
        """Begin a session of ``user``, who was authenticated by ``amr``; ``options``: see ``Sessions.begin``."""
        return await self._parts.sessions.begin(self.db, user, self.client, amr, **options)

    async def end_session(self, session_id: str, reason: str) -> None:
        """End one session of the account, if it lasts, for a reason that also names the audit event."""
        assert self.user_id is not None
        sessions = self._parts.sessions
        self.revoked["session"] += await sessions.end_session(self.db, self.user_id, session_id, reason, self.client)

    async def end_sessions(self, reason: str) -> None:
        """End all sessions of the account, for a reason that also names the audit event.

        Services also forget what they cached about the user's API keys. Call it before ``begin_session``.
        """
        assert self.user_id is not None
        self.revoked["session"] += await self._parts.sessions.end_within(self.db, self.user_id, reason, self.client)
        self.revoked["user"].append(self.user_id)
        if reason in _ENDS_TOKENS_OF_MACHINES:
            await self._end_tokens_of_machines(uuid.UUID(self.user_id))

    async def require_other_administrator(self) -> None:
        """Raise ``LastAdministrator`` if the account is the only active administrator's of the default organisation."""
        assert self.user_id is not None
        user = await users.by_id(self.db, uuid.UUID(self.user_id))
        if user is None or not user.is_active or Role.ADMIN not in user.roles or user.org != DEFAULT_ORGANISATION:
            return
        if not await users.other_administrators(self.db, user.id):
            raise LastAdministrator

    async def erase(self) -> None:
        """Delete the account with its sessions, keys, tokens and codes.

        Raises ``UserNotFound`` or ``LastAdministrator``. What stays is the audit log, which holds the id alone.
        """
        assert self.user_id is not None
        await self.require_other_administrator()
        await self.record("account_erased")
        await self.end_sessions("erased")
        email = await users.delete(self.db, uuid.UUID(self.user_id))
        if email is None:
            raise UserNotFound(user_id=self.user_id)
        await registration_repository.delete_of(self.db, email)
