"""Public keys of clients (RFC 7517), and the assertions that their private halves sign (RFC 7523)."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeGuard

from jose import JWTError, jwk, jwt
from jose.exceptions import JOSEError

from auth_service.errors import InvalidClient
from auth_service.service_accounts.errors import PublicKeyRefused

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ALGORITHMS = ("RS256", "ES256")
MAX_LIFETIME_SECONDS = 3600
"""An assertion may be valid for so long; libraries of clients sign them for an hour."""
_LEEWAY_SECONDS = 30
_MAX_CHARACTERS = 8192
_MAX_JTI = 256
_HEADER = frozenset({"alg", "typ", "kid"})
_RSA_BITS = range(2048, 4097)
# Deeply nested JSON ends in a RecursionError.
_UNREADABLE = (JWTError, RecursionError)


@dataclass(frozen=True, slots=True)
class Assertion:
    """A signed statement of a client that it is itself."""

    client_id: str
    jti: str
    expires_at: datetime


def public_key_text(members: Mapping[str, str]) -> str:
    """Return a public key as it is stored; raises ``PublicKeyRefused`` for one that is no RSA key or P-256 point."""
    names = ("n", "e") if members["kty"] == "RSA" else ("crv", "x", "y")
    missing = [name for name in names if not members.get(name)]
    if missing:
        raise PublicKeyRefused(reason=f"A key of the type {members['kty']} needs {' and '.join(missing)}")
    key = {name: members[name] for name in ("kty", *names)}
    _check(key)
    return json.dumps(key)


def _check(key: dict[str, str]) -> None:
    if key["kty"] == "EC" and key["crv"] != "P-256":
        raise PublicKeyRefused(reason="An EC key must be on the curve P-256")
    try:
        numbers = _constructed(key).prepared_key.public_numbers()
    except (JOSEError, ValueError, OverflowError) as error:
        raise PublicKeyRefused(reason="The numbers of the key cannot be read") from error
    if key["kty"] == "RSA" and (numbers.n.bit_length() not in _RSA_BITS or numbers.e != 65537):
        raise PublicKeyRefused(reason="An RSA key must have 2048 to 4096 bits and the exponent 65537 (AQAB)")


def _algorithm_of(key: Mapping[str, str]) -> str:
    return "RS256" if key["kty"] == "RSA" else "ES256"


def _constructed(key: Mapping[str, str]) -> Any:
    return jwk.construct(dict(key), _algorithm_of(key))


def claimed_client(assertion: str) -> str:
    """Return whose an assertion says that it is, unverified; raises ``InvalidClient``."""
    subject = _unverified(jwt.get_unverified_claims, assertion).get("sub")
    return subject if isinstance(subject, str) else ""


def _unverified(read: Callable[[str], dict[str, Any]], assertion: str) -> dict[str, Any]:
    try:
        return read(assertion if len(assertion) <= _MAX_CHARACTERS else "")
    except _UNREADABLE as error:
        raise InvalidClient("the client_assertion is not a JSON Web Token") from error


def verified(assertion: str, keys: Iterable[tuple[str, str]], audiences: Iterable[str]) -> tuple[str, Assertion]:
    """Return the id of the key that signed an assertion, and what it says; raises ``InvalidClient``.

    ``keys`` are ids with stored keys. The type of a key, never the header alone, says which algorithm verifies it.
    """
    algorithm = _checked_header(assertion)
    for key_id, text in keys:
        key = json.loads(text)
        if _algorithm_of(key) != algorithm:
            continue
        try:
            claims = jwt.decode(assertion, _constructed(key), [algorithm], options=_UNCHECKED)
        except _UNREADABLE:
            continue
        return key_id, _checked(claims, frozenset(audiences))
    raise InvalidClient("no key of the client verifies the client_assertion")


# Times and audience are checked below: jose lets absent ones through.
_UNCHECKED = {f"verify_{name}": False for name in ("aud", "exp", "iat", "nbf", "iss", "sub", "jti", "at_hash")}


def _checked_header(assertion: str) -> str:
    header = _unverified(jwt.get_unverified_header, assertion)
    algorithm = header.get("alg")
    if not header.keys() <= _HEADER or algorithm not in ALGORITHMS:
        raise InvalidClient(f"the client_assertion must be signed with {' or '.join(ALGORITHMS)}, its header plain")
    return str(algorithm)


def _checked(claims: dict[str, Any], audiences: frozenset[str]) -> Assertion:
    subject, jti = claims.get("sub"), claims.get("jti")
    if not isinstance(subject, str) or claims.get("iss") != subject:
        raise InvalidClient("iss and sub of the client_assertion must both be the client_id")
    if not isinstance(jti, str) or not 0 < len(jti) <= _MAX_JTI:
        raise InvalidClient(f"the client_assertion needs a jti of 1 to {_MAX_JTI} characters")
    if _only(claims.get("aud")) not in audiences:
        raise InvalidClient(f"aud of the client_assertion must be {' or '.join(sorted(audiences))}")
    expires_at = _end_of(claims)
    return Assertion(subject, jti, datetime.fromtimestamp(expires_at + _LEEWAY_SECONDS, UTC))


def _only(audience: Any) -> Any:
    """Return the one audience: an assertion for several servers could be used by one of them at the other."""
    named = audience if isinstance(audience, list) else [audience]
    return named[0] if len(named) == 1 and isinstance(named[0], str) else None


def _end_of(claims: dict[str, Any]) -> float:
    """Return when an assertion expires; raises ``InvalidClient`` unless it is valid now and ends within the hour."""
    now, expires_at = time.time(), claims.get("exp")
    latest = now + MAX_LIFETIME_SECONDS + _LEEWAY_SECONDS
    if not _is_time(expires_at) or not now - _LEEWAY_SECONDS < expires_at <= latest:
        raise InvalidClient(f"exp of the client_assertion must be in the next {MAX_LIFETIME_SECONDS} seconds")
    for name in ("iat", "nbf"):
        begins = claims.get(name, 0)
        if not _is_time(begins) or begins > now + _LEEWAY_SECONDS:
            raise InvalidClient(f"{name} of the client_assertion is in the future")
    return expires_at


def _is_time(value: Any) -> TypeGuard[float]:
    return type(value) in (int, float)
