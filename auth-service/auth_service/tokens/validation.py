"""Validates users' access tokens for services that do not verify them by themselves."""

from __future__ import annotations

from dataclasses import dataclass

import orjson

from castor_chassis import Claims, TokenVerifier, Unauthenticated


@dataclass(frozen=True, slots=True)
class ValidToken:
    """The response about a valid token; its fields are in the order of the response."""

    valid: bool
    user_id: str
    email: str | None
    roles: tuple[str, ...]
    exp: int


@dataclass(frozen=True, slots=True)
class InvalidToken:
    """Why a token is not valid, in one sentence."""

    reason: str


async def validate(verifier: TokenVerifier, token: str) -> ValidToken | InvalidToken:
    """Return what a user's access token says, or why it is not valid.

    Raises ``Unavailable`` before the signing keys are loaded.
    """
    try:
        return _of(await verifier.verify(token, None))
    except Unauthenticated as refused:
        return InvalidToken(str(refused.details["reason"]))


def validate_from_memory(verifier: TokenVerifier, body: bytes) -> bytes | None:
    """Return the response body to a request body of validate-token, if its token was verified before and is valid.

    None in every other case: the route has to verify the token.
    """
    try:
        request = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    token = request.get("token") if isinstance(request, dict) and len(request) == 1 else None
    if not isinstance(token, str):
        return None
    claims = verifier.recall(token.encode(), None)
    return None if claims is None else orjson.dumps(_of(claims))


def _of(claims: Claims) -> ValidToken:
    return ValidToken(True, claims.subject, claims.email, claims.roles, claims.expires_at)
