"""Verification of our JSON Web Tokens.

python-jose does the cryptography. What it would let through is refused before and after it: a header
with anything but alg, kid and typ (jwk, jku, x5u, crit, b64), duplicate members, a missing aud or exp, and
any spelling of base64url but the canonical one, so that a token has one text.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any, Protocol

from castor_chassis.metrics import AUTH_FAILURES
from castor_chassis.security.revocation import RevocationList
from castor_chassis.tls import PeerIdentity
from castor_chassis.wire.errors import NoCredentials, Unauthenticated

ALGORITHM = "RS256"
MAX_TOKEN_CHARACTERS = 8192
LEEWAY_SECONDS = 5
MAX_LIFETIME_SECONDS = 86_400
"""No token of ours is meant to hold longer than a day, whoever signed it."""
BEARER_USES = ("user", "service_account")
"""Uses of tokens from outside, which are bound to no certificate."""
_KID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_HEADER_MEMBERS = frozenset({"alg", "kid", "typ"})


@dataclass(frozen=True, slots=True)
class Claims:
    """What a verified token says."""

    subject: str
    use: str
    """``user``, ``service_account`` (a machine outside), ``service``, or ``delegation``: a user's token as a service
    got it in exchange, for one peer."""
    scopes: frozenset[str]
    expires_at: int
    token_id: str
    email: str | None = None
    roles: tuple[str, ...] = ()
    thumbprint: str | None = None
    """Certificate that a service token is bound to (``cnf.x5t#S256``)."""
    session_id: str | None = None
    """Session that a user's token belongs to (``sid``); it may end before the token."""
    org: str | None = None
    """Organisation of the user."""
    issued_at: int = 0
    key_id: str = ""


class KeySource(Protocol):
    """Where public keys come from."""

    async def key(self, kid: str) -> Any | None:
        """Return the jose key ``kid``, or None when there is none; raises ``Unavailable`` when unknowable."""


class TokenVerifier:
    """Verifies tokens for one service; a verified token is remembered by its digest until it expires."""

    def __init__(
        self,
        keys: KeySource,
        *,
        issuer: str,
        service: str,
        user_audience: str = "castor",
        revoked: RevocationList | None = None,
        cache_size: int = 10_000,
    ) -> None:
        self._keys = keys
        self._revoked = RevocationList() if revoked is None else revoked
        self._issuer = issuer
        outside = dict.fromkeys(BEARER_USES, user_audience)
        self._audiences = {**outside, "service": service, "delegation": service}
        self._cache: OrderedDict[bytes, Claims] = OrderedDict()
        self._cache_size = cache_size

    async def verify(self, token: str, peer: PeerIdentity | None) -> Claims:
        """Return the claims of ``token``; raises ``Unauthenticated`` with the reason.

        A service token must come over the connection whose certificate it is bound to (RFC 8705).
        """
        digest = hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
        claims = self._cache.get(digest)
        if claims is None:
            claims = await self._verify_anew(token)
            self._remember(digest, claims)
        return self._holding(claims, peer)

    def recall(self, token: bytes, peer: PeerIdentity | None) -> Claims | None:
        """Return the claims of a token that was verified before and holds still; None: ``verify`` has to say."""
        claims = self._cache.get(hashlib.sha256(token).digest())
        if claims is None:
            return None
        try:
            return self._holding(claims, peer)
        except Unauthenticated:
            return None

    def _holding(self, claims: Claims, peer: PeerIdentity | None) -> Claims:
        if claims.expires_at + LEEWAY_SECONDS <= time.time():
            raise _refused("expired", "The token has expired", NoCredentials)
        if claims.thumbprint is not None and (peer is None or claims.thumbprint != peer.thumbprint):
            raise _refused("wrong_certificate", f"The {claims.use} token belongs to another certificate")
        # A key set fetched from a replica that has not read the revocation yet still has the key.
        if claims.key_id in self._revoked.leaked_keys:
            raise _refused("unknown_key", "The token is signed with a key that is not ours")
        if claims.session_id is not None and self._revoked.session(claims.session_id, claims.issued_at):
            raise _refused("revoked", "The session of the token was ended", NoCredentials)
        return claims

    def _remember(self, digest: bytes, claims: Claims) -> None:
        self._cache[digest] = claims
        if len(self._cache) > self._cache_size:
            self._cache.popitem(last=False)

    async def _verify_anew(self, token: str) -> Claims:
        header, payload, signature = _unpacked(token)
        kid = _kid_of(header)
        key = await self._keys.key(kid)
        if key is None:
            raise _refused("unknown_key", "The token is signed with a key that is not ours")
        # The key is made for RS256 alone, and the header was read strictly: jws.verify would parse all of it again.
        if not key.verify(token.rpartition(".")[0].encode(), signature):
            raise _refused("bad_signature", "The token's signature does not hold")
        return self._claims(payload, kid)

    def _claims(self, payload: dict[str, Any], kid: str) -> Claims:
        use = payload.get("token_use")
        if payload.get("iss") != self._issuer:
            raise _refused("wrong_issuer", "The token comes from another issuer")
        if not isinstance(use, str) or payload.get("aud") != self._audiences.get(use, self):
            raise _refused("wrong_audience", "The token is meant for something else")
        _check_times(payload)
        try:
            return Claims(
                subject=_text(payload["sub"]),
                use=use,
                scopes=frozenset(_scope(payload["scope"], use).split()),
                expires_at=payload["exp"],
                token_id=_text(payload["jti"]),
                email=payload.get("email"),
                roles=tuple(_text(role) for role in payload.get("roles", ())),
                thumbprint=_bound_to(payload, use),
                session_id=None if use == "service" else _text(payload["sid"]),
                org=_text(payload["org"]) if "org" in payload else None,
                issued_at=payload["iat"],
                key_id=kid,
            )
        except (KeyError, TypeError) as error:
            raise _refused("malformed", "The token lacks a claim") from error


def _refused(label: str, reason: str, error: type[Unauthenticated] = Unauthenticated) -> Unauthenticated:
    AUTH_FAILURES.labels(label).inc()
    return error(reason=reason)


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value or not value.isprintable():
        raise TypeError("expected a text")
    return value


def _scope(value: Any, use: str) -> str:
    # What a user may do at the peer of a service may be nothing: the token says on whose behalf the call is then.
    return "" if use == "delegation" and value == "" else _text(value)


def _bound_to(payload: dict[str, Any], use: str) -> str | None:
    """Return the certificate that the token is bound to; a binding that cannot be checked is refused."""
    if "cnf" not in payload and use in BEARER_USES:
        return None
    bound = payload.get("cnf")
    thumbprint = bound.get("x5t#S256") if isinstance(bound, dict) and len(bound) == 1 else None
    if not isinstance(thumbprint, str) or not thumbprint:
        raise _refused("unbound", f"A {use} token must be bound to a certificate, or to nothing we cannot check")
    return thumbprint


def _unpacked(token: str) -> tuple[dict[str, Any], dict[str, Any], bytes]:
    parts = token.split(".")
    if len(token) > MAX_TOKEN_CHARACTERS or len(parts) != 3 or not all(parts):
        raise _refused("malformed", "The token is not a signed JSON Web Token")
    try:
        return _json_object(parts[0]), _json_object(parts[1]), _decoded(parts[2])
    except (binascii.Error, ValueError, RecursionError) as error:
        raise _refused("malformed", "The token is not a signed JSON Web Token") from error


def _decoded(part: str) -> bytes:
    raw = base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)
    if base64.urlsafe_b64encode(raw).rstrip(b"=") != part.encode():
        raise ValueError("not the canonical spelling")
    return raw


def _json_object(part: str) -> dict[str, Any]:
    value = json.loads(_decoded(part).decode(), object_pairs_hook=_no_duplicates)
    if not isinstance(value, dict):
        raise ValueError("not an object")
    return value


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("duplicate member")
    return value


def _kid_of(header: dict[str, Any]) -> str:
    kid = header.get("kid")
    plain = header.keys() <= _HEADER_MEMBERS and header.get("typ", "JWT") in ("JWT", "at+jwt")
    if not plain or header.get("alg") != ALGORITHM or not isinstance(kid, str) or not _KID.fullmatch(kid):
        raise _refused("bad_header", "The token's header is not one that we issue")
    return kid


def _check_times(payload: dict[str, Any]) -> None:
    now = time.time()
    for name in ("exp", "iat"):
        if type(payload.get(name)) is not int:
            raise _refused("malformed", f"The token lacks '{name}'")
    if payload["exp"] + LEEWAY_SECONDS <= now:
        raise _refused("expired", "The token has expired", NoCredentials)
    if not 0 < payload["exp"] - payload["iat"] <= MAX_LIFETIME_SECONDS:
        raise _refused("lifetime", "The token claims a life that none of ours has")
    starts = payload.get("nbf", payload["iat"])
    if type(starts) is not int or max(starts, payload["iat"]) > now + LEEWAY_SECONDS:
        raise _refused("future", "The token is not valid yet")
