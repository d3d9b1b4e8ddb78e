"""Registration: how somebody gets an account.

``verified`` (the default): the answer is the same for a new and a taken address; the account begins when the token
that was sent to the address is shown together with the password that was chosen. The password matters: whoever
receives a message that he did not ask for cannot be made to open an account with somebody else's password.
``open``: an account and a session at once, which tells whether an address has an account; for closed networks.
``closed``: nobody registers by himself.
"""

from __future__ import annotations

import secrets
from dataclasses import asdict, dataclass
from typing import Any, Literal

from auth_service.accounts import registration_repository as account_store
from auth_service.accounts.login import Accounts, NewAccount, normal_email
from auth_service.accounts.registration_repository import Pending
from auth_service.audit.recorder import Client
from auth_service.crypto.digests import digest
from auth_service.errors import EmailTaken, InvalidOneTimeToken, RegistrationClosed, WeakPassword
from auth_service.mail.outbox import Outbox
from auth_service.metrics import attempt
from auth_service.sessions.service import TokenPair
from auth_service.users.repository import AuthStore, User
from auth_service.users.roles import Role

Mode = Literal["verified", "open", "closed"]


@dataclass(frozen=True)
class Registration:
    """Makes accounts."""

    accounts: Accounts
    outbox: Outbox
    mode: Mode
    role: Role

    async def register(self, new: NewAccount, client: Client) -> tuple[User, TokenPair] | None:
        """Return the account and a session, or None when the address has to be proved first.

        Raises ``WeakPassword`` with the reason, ``RateLimited``, ``RegistrationClosed``, in open mode ``EmailTaken``.
        """
        with attempt("register"):
            await self.accounts.limits.registration(client)
            if self.mode == "closed":
                raise RegistrationClosed
            password_hash = await self._hash(new)
            if self.mode == "open":
                return await self._begin(new, password_hash, client)
            await self._pend(new, password_hash, client)
            return None

    async def _hash(self, new: NewAccount) -> str:
        passwords = self.accounts.passwords
        reason = await passwords.why_weak(new.password, new.email, [new.first_name, new.last_name])
        if reason is not None:
            raise WeakPassword(reason=reason)
        return await passwords.hash(new.password)

    async def _begin(self, new: NewAccount, password_hash: str, client: Client) -> tuple[User, TokenPair]:
        accounts = self.accounts
        async with accounts.store.transaction() as db:
            user = await db.insert_user(normal_email(new.email), password_hash, [self.role], **_profile(new))
            if user is None:
                raise EmailTaken
            await accounts.audit.record(db, "register", subject=str(user.id), client=client)
            session = await accounts.sessions.begin(db, user, client)
        await accounts.limits.welcome(user.email, client)
        return user, await accounts.sessions.pair(user, session)

    async def _pend(self, new: NewAccount, password_hash: str, client: Client) -> None:
        # The same statements for every address: whether it is taken is found out later, by whoever sends the message.
        email, token = normal_email(new.email), secrets.token_urlsafe(32)
        waiting = Pending(email, password_hash, [self.role], _profile(new))
        async with self.accounts.store.transaction() as db:
            await account_store.insert_pending(db, digest(token), waiting, self.outbox.registration_lifetime)
            await self.outbox.append(db, "registration", email, token=token)
            account = self.accounts.audit.vault.blind(email)
            await self.accounts.audit.record(db, "register_asked", subject=None, client=client, account=account)

    async def confirm(self, token: str, password: str, client: Client) -> tuple[User, TokenPair]:
        """Open the account that was registered, and log in; raises ``InvalidOneTimeToken`` or ``RateLimited``."""
        with attempt("register_confirm"):
            accounts = self.accounts
            await accounts.limits.registration(client)
            waiting = await account_store.pending(accounts.store, digest(token))
            right = await accounts.passwords.matches(waiting.password_hash if waiting else None, password)
            if waiting is None or not right:
                raise InvalidOneTimeToken
            async with accounts.store.transaction() as db:
                user = await self._open(db, digest(token), waiting)
                await accounts.audit.record(db, "register", subject=str(user.id), client=client)
                session = await accounts.sessions.begin(db, user, client)
            await accounts.limits.welcome(user.email, client)
            return user, await accounts.sessions.pair(user, session)

    async def _open(self, db: AuthStore, token_hash: bytes, waiting: Pending) -> User:
        held = await account_store.take_pending(db, token_hash, waiting.email)
        user = None
        if held:
            hashed = waiting.email, waiting.password_hash, waiting.roles
            user = await db.insert_user(*hashed, verified=True, **waiting.profile)
        if user is None:
            raise InvalidOneTimeToken
        return user


def _profile(new: NewAccount) -> dict[str, Any]:
    return {name: value for name, value in asdict(new).items() if name not in ("email", "password")}
