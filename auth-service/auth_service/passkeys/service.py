"""Registers passkeys, and authenticates by them; the ``webauthn`` library verifies what authenticators answer."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from typing import Any

import webauthn
from webauthn.helpers import base64url_to_bytes
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from auth_service.accounts.changes import AccountChanges
from auth_service.accounts.login import Login
from auth_service.credentials import passkey_repository
from auth_service.credentials.model import Passkey
from auth_service.crypto.vault import Vault
from auth_service.errors import PasskeyNotFound, PasskeyRefused, TooManyPasskeys
from auth_service.metrics import attempt
from auth_service.passkeys import challenges
from auth_service.sessions.service import AccessToken, Sessions, TokenPair
from auth_service.users.client import Client
from auth_service.users.model import User
from auth_service.users.service import Users
from castor_chassis import Postgres, Principal

PASSKEY = ("pop", "user", "mfa")
"""``amr`` of a login by passkey: possession of its key, and the person verified by the authenticator (RFC 8176)."""
MOST = 20
_LOGIN = "login"
_BAD_ANSWER = (WebAuthnException, KeyError, TypeError, ValueError)


@dataclass(frozen=True)
class Passkeys:
    """Passkeys of one relying party, whose pages have one of the ``origins``."""

    postgres: Postgres
    users: Users
    login: Login
    changes: AccountChanges
    sessions: Sessions
    vault: Vault
    rp_id: str
    origins: list[str]

    async def registration(self, user: User) -> tuple[dict[str, Any], str]:
        """Return the options of ``navigator.credentials.create``, and the token that goes with the answer."""
        challenge, token = challenges.new_challenge(self.vault, f"of {user.id}")
        held = await passkey_repository.of_user(self.postgres, user.id)
        options = webauthn.generate_registration_options(
            rp_id=self.rp_id,
            rp_name="CASTOR",
            user_id=user.id.bytes,
            user_name=user.email,
            challenge=challenge,
            exclude_credentials=[PublicKeyCredentialDescriptor(id=passkey.id) for passkey in held],
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
            ),
        )
        return json.loads(webauthn.options_to_json(options)), token

    async def register(self, owner: Principal, token: str, name: str, answer: dict[str, Any], client: Client) -> None:
        """Store the passkey that an authenticator made; a mail tells the owner.

        Raises ``PasskeyRefused``, ``TooManyPasskeys``, ``AccountChanged``, also when the caller's session has ended, or
        ``OutboxFull``.
        """
        user = await self.users.get(owner.subject)
        challenge = challenges.opened(self.vault, f"of {user.id}", token)
        try:
            made = webauthn.verify_registration_response(
                credential=answer,
                expected_challenge=challenge,
                expected_rp_id=self.rp_id,
                expected_origin=self.origins,
                require_user_verification=True,
            )
        except _BAD_ANSWER as error:
            raise PasskeyRefused(reason="The answer of the authenticator does not hold") from error
        async with self.changes.begin(owner.subject, client, read=user, session_id=owner.session_id) as change:
            if len(await passkey_repository.of_user(change.db, user.id)) >= MOST:
                raise TooManyPasskeys(limit=MOST)
            await challenges.use(change.db, challenge)
            key = made.credential_public_key
            if not await passkey_repository.insert(change.db, made.credential_id, user.id, name, key, made.sign_count):
                raise PasskeyRefused(reason="This passkey is registered already")
            await passkey_repository.note_change(change.db, user.id)
            await change.record("passkey_added")
            await change.mail("passkey_added", user.email)

    async def of_user(self, user_id: str) -> list[Passkey]:
        """Return a user's passkeys, oldest first."""
        return await passkey_repository.of_user(self.postgres, uuid.UUID(user_id))

    async def rename(self, user_id: str, passkey_id: bytes, name: str) -> None:
        """Give a passkey another name; raises ``PasskeyNotFound``."""
        if not await passkey_repository.rename(self.postgres, uuid.UUID(user_id), passkey_id, name):
            raise PasskeyNotFound

    async def remove(self, user: User, passkey_id: bytes, client: Client) -> None:
        """Delete a passkey and end all sessions; a mail tells the owner.

        Raises ``PasskeyNotFound``, ``AccountChanged`` or ``OutboxFull``.
        """
        async with self.changes.begin(str(user.id), client, read=user) as change:
            if not await passkey_repository.delete(change.db, user.id, passkey_id):
                raise PasskeyNotFound
            await passkey_repository.note_change(change.db, user.id)
            await change.record("passkey_removed")
            await change.mail("mfa_changed", user.email)
            await change.end_sessions("passkey_removed")

    def authentication(self) -> tuple[dict[str, Any], str]:
        """Return the options of ``navigator.credentials.get``, the same for everybody, and the token for the answer."""
        challenge, token = challenges.new_challenge(self.vault, _LOGIN)
        options = webauthn.generate_authentication_options(
            rp_id=self.rp_id, challenge=challenge, user_verification=UserVerificationRequirement.REQUIRED
        )
        return json.loads(webauthn.options_to_json(options)), token

    async def log_in(self, token: str, answer: dict[str, Any], client: Client) -> tuple[User, TokenPair]:
        """Begin a session by a passkey alone; raises ``PasskeyRefused`` or ``AccountChanged``."""
        with attempt("passkey"):
            user = await self.authenticated(token, answer)
            return await self.login.enter(user, client, PASSKEY)

    async def step_up(self, user_id: str, session_id: str, token: str, answer: dict[str, Any]) -> AccessToken:
        """Return an access token of the same session that says ``PASSKEY``.

        Raises ``PasskeyRefused``, for a passkey of another account as well, or ``SessionNotFound``.
        """
        with attempt("passkey"):
            user = await self.authenticated(token, answer)
            if user.id != uuid.UUID(user_id):
                raise PasskeyRefused(reason="The passkey belongs to another account")
            return await self.sessions.strengthen(user, session_id, PASSKEY)

    async def authenticated(self, token: str, answer: dict[str, Any]) -> User:
        """Return whose passkey answered the challenge of ``authentication``, once; raises ``PasskeyRefused``."""
        challenge = challenges.opened(self.vault, _LOGIN, token)
        try:
            passkey_id = base64url_to_bytes(answer["rawId"])
            held = await passkey_repository.public_key(self.postgres, passkey_id)
            if held is None:
                raise PasskeyRefused(reason="The passkey is not registered")
            user = await self.users.get(str(held.user_id))
            seen = webauthn.verify_authentication_response(
                credential=answer,
                expected_challenge=challenge,
                expected_rp_id=self.rp_id,
                expected_origin=self.origins,
                credential_public_key=held.public_key,
                credential_current_sign_count=held.sign_count,
                require_user_verification=True,
            )
        except _BAD_ANSWER as error:
            raise PasskeyRefused(reason="The answer of the authenticator does not hold") from error
        await challenges.use(self.postgres, challenge)
        await passkey_repository.note_use(self.postgres, passkey_id, seen.new_sign_count)
        return user
