"""Tokens of service accounts: OAuth 2.0 client credentials (RFC 6749 section 4.4), by secret or signed assertion."""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from dataclasses import dataclass

from auth_service.audit.summaries import Summaries
from auth_service.crypto.digests import digest
from auth_service.errors import InvalidClient, InvalidScope, InvalidTokenRequest, OAuthError
from auth_service.metrics import attempt
from auth_service.service_accounts import credential_repository, repository
from auth_service.service_accounts.model import (
    ACCOUNT_ID,
    AccountToken,
    ClientProof,
    HeldAccount,
    HeldCredential,
    ServiceAccount,
)
from auth_service.service_accounts.public_keys import ASSERTION_TYPE, claimed_client, verified
from auth_service.tokens.issuer import TokenIssuer
from auth_service.users.client import Client
from auth_service.users.model import User
from castor_chassis import Postgres
from castor_chassis.security.rate_limit import RateLimiter

_REFUSED = "service_account_refused"
_UNKNOWN = "the client is unknown or disabled, or its secret is wrong or has expired"


@dataclass(frozen=True)
class ServiceAccountTokens:
    """Issues tokens that every service accepts as it accepts a user's, within the account's scopes."""

    postgres: Postgres
    issuer: TokenIssuer
    summaries: Summaries
    limiter: RateLimiter
    """Of tokens per account, counted after its client was authenticated: others cannot use it up."""
    audiences: frozenset[str]
    """What an assertion may name as its audience: the issuer and the token endpoint."""

    async def issue(self, proof: ClientProof, scope: str, client: Client) -> AccountToken:
        """Return a token with the scopes asked for (space separated; empty: all).

        Raises an ``OAuthError``, which is audited, or ``RateLimited``.
        """
        with attempt("service_account"):
            try:
                return await self._issue(proof, scope)
            except OAuthError as refused:
                # What strangers type may be anything, such as an address, which the audit log must not hold.
                asked = proof.client_id if ACCOUNT_ID.fullmatch(proof.client_id) else None
                await self.summaries.record(self.postgres, _REFUSED, subject=asked, client=client, reason=refused.code)
                raise

    async def _issue(self, proof: ClientProof, scope: str) -> AccountToken:
        held, used = await self._authenticated(proof)
        await self.limiter.check(held.account.id, "service_account")
        scopes = self._scopes(held.account, held.owner, scope)
        await credential_repository.note_use(self.postgres, used.id)
        token = await self.issuer.account_token(held.account.id, held.account.org, str(used.session_id), scopes)
        return AccountToken(token, self.issuer.service_seconds, " ".join(sorted(scopes)))

    async def _authenticated(self, proof: ClientProof) -> tuple[HeldAccount, HeldCredential]:
        if not proof.client_assertion:
            held = await self._held(proof.client_id)
            return held, _with_secret(held.credentials, proof.client_secret)
        if proof.client_secret:
            raise InvalidTokenRequest("send a client_secret or a client_assertion, not both")
        if proof.client_assertion_type != ASSERTION_TYPE:
            raise InvalidTokenRequest(f"client_assertion_type must be {ASSERTION_TYPE}")
        client_id = claimed_client(proof.client_assertion)
        if proof.client_id not in ("", client_id):
            raise InvalidClient("client_id is not the sub of the client_assertion")
        held = await self._held(client_id)
        return held, await self._with_assertion(held, proof.client_assertion)

    async def _held(self, client_id: str) -> HeldAccount:
        # An assertion may claim any text, also one that PostgreSQL cannot hold.
        is_id = ACCOUNT_ID.fullmatch(client_id)
        found = await repository.active_with_owner(self.postgres, client_id) if is_id else None
        if found is None:
            raise InvalidClient(_UNKNOWN)
        account, owner = found
        return HeldAccount(account, owner, await credential_repository.held(self.postgres, account.id))

    async def _with_assertion(self, held: HeldAccount, assertion: str) -> HeldCredential:
        """Return the key that an assertion was signed with; it counts once."""
        keys = {each.id: each for each in held.credentials if each.public_key is not None}
        stored = ((key_id, each.public_key or "") for key_id, each in keys.items())
        key_id, found = verified(assertion, stored, self.audiences)
        name = digest(f"{held.account.id}\n{found.jti}")
        if not await credential_repository.use_assertion(self.postgres, name, found.expires_at):
            raise InvalidClient("the client_assertion was used before; sign another, with a jti of its own")
        return keys[key_id]

    def _scopes(self, account: ServiceAccount, owner: User | None, requested: str) -> frozenset[str]:
        """Return the scopes of a token: those of the account that its owner holds at present, or the requested ones."""
        held = frozenset(account.scopes)
        if owner is not None:
            held &= self.issuer.scopes(owner, mfa_used=owner.has_second_factor)
        asked = frozenset(requested.split())
        if asked - held or not held:
            raise InvalidScope(f"the client may have '{' '.join(sorted(held))}'")
        return asked or held


def _with_secret(credentials: Iterable[HeldCredential], secret: str) -> HeldCredential:
    presented = digest(secret)
    for each in credentials:
        if each.secret_hash is not None and hmac.compare_digest(each.secret_hash, presented):
            return each
    raise InvalidClient(_UNKNOWN)
