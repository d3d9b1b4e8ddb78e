"""Client of auth-service: what every service asks it. Its public keys, API keys, revocations and our own tokens."""

from __future__ import annotations

import hashlib
import time
from typing import Any, TypeVar

from jose import jwk
from jose.exceptions import JOSEError
from pydantic import BaseModel, ValidationError

from castor_chassis.background.shared_call import SharedCalls
from castor_chassis.client.operation import Operation
from castor_chassis.client.peer import Peer, Reply
from castor_chassis.metrics import JWKS_FETCHES
from castor_chassis.security.authorization import API_KEY_PREFIX, Principal
from castor_chassis.security.jwt import ALGORITHM
from castor_chassis.security.remembered import Remembered
from castor_chassis.security.revocation import Revocation, RevocationBatch, RevocationList
from castor_chassis.wire.errors import PeerError, PeerRejected, PeerUnavailable, Unavailable


class PublicKey(BaseModel):
    """One RSA key of the key set (RFC 7517)."""

    kid: str
    kty: str
    n: str
    e: str


class KeySet(BaseModel):
    """The keys that tokens are verified with."""

    keys: list[PublicKey]


class KeyOwner(BaseModel):
    """Whom an API key stands for; only ``valid`` is there when it does not hold."""

    valid: bool
    user_id: str = ""
    scopes: list[str] = []
    roles: list[str] = []
    org: str | None = None


class RevocationEntry(BaseModel):
    """One revocation; see ``Revocation``."""

    kind: str
    subject: str
    revoked_at: float
    expires_at: float


class Revocations(BaseModel):
    """What was revoked after an epoch; see ``RevocationBatch``."""

    epoch: int
    items: list[RevocationEntry]
    issued_after: float
    more: bool


class ServiceToken(BaseModel):
    """A token of our own for one audience."""

    access_token: str
    expires_in: float


JWKS = Operation("GET", "/v1/auth/jwks", reads=KeySet)
VERIFY_API_KEY = Operation("POST", "/internal/api-keys/verify", ("key",), KeyOwner)
REVOCATIONS = Operation("GET", "/internal/revocations", ("after",), Revocations)
TOKEN = Operation("POST", "/v1/auth/token", ("grant_type", "audience"), ServiceToken)
EXCHANGE = Operation(
    "POST", TOKEN.path, ("grant_type", "audience", "subject_token", "subject_token_type"), ServiceToken
)
OPERATIONS = (JWKS, VERIFY_API_KEY, REVOCATIONS, TOKEN, EXCHANGE)
Model = TypeVar("Model", bound=BaseModel)


def read_answer(model: type[Model], reply: Reply) -> Model:
    """Return the data of auth-service's answer as ``model``; raises ``PeerUnavailable`` for any other shape."""
    try:
        return model.model_validate(reply.data)
    except ValidationError as error:
        reason = f"its answer is not readable as {model.__name__}"
        raise PeerUnavailable(peer="auth-service", reason=reason, retry_after_seconds=1) from error


class JwksKeys:
    """auth-service's key set, cached.

    It is fetched when it is older than ``max_age_seconds`` or a ``kid`` is unknown, but never twice within
    ``cooldown_seconds``, so that invented kids cannot flood auth-service. While auth-service is away the
    keys at hand stay valid.
    """

    def __init__(self, auth: Peer, *, max_age_seconds: float = 300, cooldown_seconds: float = 10) -> None:
        self._auth = auth
        self._max_age = max_age_seconds
        self._cooldown = cooldown_seconds
        self._keys: dict[str, Any] = {}
        self._fetched_at = self._tried_at = float("-inf")
        self._fetches: SharedCalls[None] = SharedCalls()

    async def key(self, kid: str) -> Any | None:
        """Return the key ``kid``; see ``KeySource``."""
        if self._wants_fetch(kid):
            await self._fetches.run(JWKS.path, self._fetch)
        if not self._keys:
            raise Unavailable(reason="auth-service has not published its keys to us yet", retry_after_seconds=2)
        return self._keys.get(kid)

    def forget(self, revocation: Revocation) -> None:
        """Drop a key that has leaked; whoever asks next fetches what there is instead."""
        if revocation.kind == "signing_key" and self._keys.pop(revocation.subject, None) is not None:
            self._tried_at = self._fetched_at = float("-inf")

    def _wants_fetch(self, kid: str) -> bool:
        now = time.monotonic()
        stale = now - self._fetched_at > self._max_age or kid not in self._keys
        cooling = now - self._tried_at < (self._cooldown if self._keys else 0.5)
        return stale and not cooling

    async def _fetch(self) -> None:
        try:
            published = read_answer(KeySet, await self._auth.get(JWKS.path)).keys
            keys = {key.kid: jwk.construct(key.model_dump(), ALGORITHM) for key in published}
        except (PeerError, JOSEError):
            JWKS_FETCHES.labels("failed").inc()
            return
        finally:
            # Set when it is over, so that whoever asks meanwhile waits for the answer.
            self._tried_at = time.monotonic()
        self._keys = keys
        self._fetched_at = time.monotonic()
        JWKS_FETCHES.labels("ok").inc()


class RemoteApiKeys:
    """The ``ApiKeyVerifier`` that asks auth-service, and remembers each answer for ``ttl_seconds``.

    A revocation makes it forget at once; while revocations do not arrive, a revoked key works for up to
    ``ttl_seconds`` longer. Keys that hold and keys that do not are remembered apart, ``cache_size`` of each, so that
    invented keys do not displace those of users. Raises ``PeerUnavailable`` when a key is unknown here and
    auth-service is away.
    """

    def __init__(
        self,
        auth: Peer,
        *,
        revoked: RevocationList | None = None,
        ttl_seconds: float = 15,
        cache_size: int = 10_000,
    ) -> None:
        self._auth = auth
        self._ttl = ttl_seconds
        self._owners: Remembered[tuple[float, Principal | None]] = Remembered(cache_size)
        self._refused: Remembered[tuple[float, Principal | None]] = Remembered(cache_size)
        if revoked is not None:
            revoked.on_add(self._forget)

    def _forget(self, revocation: Revocation) -> None:
        if revocation.kind != "session":
            self._owners.forget(f"{revocation.kind} {revocation.subject}")

    async def verify(self, key: str) -> Principal | None:
        """See ``ApiKeyVerifier``."""
        digest = hashlib.sha256(key.encode()).hexdigest()
        until, principal = self._owners.get(digest) or self._refused.get(digest) or (0.0, None)
        if until > time.monotonic():
            return principal
        with self._owners.asking() as forgotten:
            principal = await self._ask(key)
        # A revocation of the key or of its owner that came meanwhile may be newer than the answer.
        answer, names = (time.monotonic() + self._ttl, principal), [f"api_key {key_id(key)}"]
        if principal is None:
            self._owners.drop(digest)
            self._refused.put(digest, answer, names, forgotten)
        else:
            self._refused.drop(digest)
            self._owners.put(digest, answer, [*names, f"user {principal.subject}"], forgotten)
        return principal

    async def _ask(self, key: str) -> Principal | None:
        try:
            reply = await self._auth.post(VERIFY_API_KEY.path, json={"key": key}, idempotent=True)
        except PeerRejected:
            return None
        owner = read_answer(KeyOwner, reply)
        if not owner.valid:
            return None
        scopes, roles = frozenset(owner.scopes), tuple(owner.roles)
        return Principal("api_key", owner.user_id, scopes, roles=roles, token_id=key_id(key), org=owner.org)


def key_id(key: str) -> str:
    """Return the id of an API key, which is no secret."""
    return key.removeprefix(API_KEY_PREFIX).partition("_")[0]


class RemoteRevocations:
    """Asks auth-service for revocations; give it a ``Peer`` of its own, whose breaker other calls do not share."""

    def __init__(self, auth: Peer) -> None:
        self._auth = auth

    async def fetch(self, after: int) -> RevocationBatch:
        """See ``revocation.Fetch``; raises ``PeerError``."""
        found = read_answer(Revocations, await self._auth.get(REVOCATIONS.path, params={"after": after}))
        items = [Revocation(item.kind, item.subject, item.revoked_at, item.expires_at) for item in found.items]
        return RevocationBatch(found.epoch, items, found.issued_after, found.more)
