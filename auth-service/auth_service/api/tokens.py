"""What services ask: tokens, keys, and what a user's token or API key is worth."""

from __future__ import annotations

import base64
from typing import Annotated, Any
from urllib.parse import unquote_plus

from fastapi import APIRouter, Depends, FastAPI, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import StringConstraints

from auth_service.api.dependencies import R, among_services, no_store, peer_certificate, services_only
from auth_service.api.schemas.internal import (
    InternalUserView,
    InvalidView,
    JwksView,
    JwkView,
    OAuthErrorView,
    RevocationsView,
    ServiceTokenView,
    ValidateRequest,
    ValidView,
    VerifiedKeyView,
    VerifyKeyRequest,
)
from auth_service.credentials.service_tokens import TokenRequest
from auth_service.errors import InvalidClient, InvalidTokenRequest, OAuthError, UserNotFound
from auth_service.tokens.grants import AUDIENCES
from auth_service.tokens.issuer import judged, verdict_on
from castor_chassis import Claims, ErrorBody, Ok, Principal, errors_of, ok
from castor_chassis.tls import PeerIdentity

router = APIRouter(prefix="/v1/auth", tags=["services"])
internal = APIRouter(
    prefix="/internal",
    tags=["internal"],
    dependencies=[Depends(services_only("the certificate of a service is the proof"))],
)
UserId = Annotated[str, StringConstraints(pattern=r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$")]

_TOKEN_FORM = {
    "requestBody": {
        "required": True,
        "content": {
            "application/x-www-form-urlencoded": {
                "schema": {
                    "type": "object",
                    "required": ["grant_type", "audience"],
                    "properties": {
                        "grant_type": {"type": "string", "enum": ["client_credentials"]},
                        "audience": {
                            "type": "string",
                            "enum": list(AUDIENCES),
                            "description": "The service to be called.",
                        },
                        "scope": {"type": "string", "description": "Space separated; absent: all that is granted."},
                        "client_id": {
                            "type": "string",
                            "description": "For clients with a secret; or HTTP Basic (RFC 6749 section 2.3.1).",
                        },
                        "client_secret": {"type": "string", "format": "password"},
                    },
                }
            }
        },
    }
}
_OAUTH_ERRORS: dict[int | str, dict[str, Any]] = {
    400: {"model": OAuthErrorView | ErrorBody, "description": "The request, the audience or the scope is refused."},
    401: {"model": OAuthErrorView | ErrorBody, "description": "The certificate names no service, or has expired."},
}


async def token_request(request: Request) -> TokenRequest:
    """Read the form; raises ``InvalidTokenRequest`` for a parameter given twice (RFC 6749 section 3.2)."""
    form = await request.form(max_files=0, max_fields=20)
    names = ("grant_type", "audience", "scope", "client_id", "client_secret")
    values = {name: form.getlist(name) for name in names}
    for name, given in values.items():
        if len(given) > 1:
            raise InvalidTokenRequest(f"the parameter {name} is given more than once")
    found = {name: str(given[0]) if given else "" for name, given in values.items()}
    basic = _basic(request.headers.get("authorization"))
    if basic is not None and (found["client_id"] or found["client_secret"]):
        raise InvalidTokenRequest("the client is named twice, in the form and in the header")
    return TokenRequest(**{**found, **(basic or {})})


def _basic(header: str | None) -> dict[str, str] | None:
    """Return client and secret of an HTTP Basic header, each form-encoded within it; None for any other header."""
    scheme, _, credentials = (header or "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        name, found, secret = base64.b64decode(credentials.strip(), validate=True).decode().partition(":")
    except ValueError as error:
        raise InvalidClient("the Basic header cannot be read") from error
    if not found or not name:
        raise InvalidClient("the Basic header names no client")
    return {"client_id": unquote_plus(name), "client_secret": unquote_plus(secret)}


@router.post(
    "/token",
    responses=_OAUTH_ERRORS,
    openapi_extra=_TOKEN_FORM,
    dependencies=[Depends(among_services("certificate or secret are the proof")), Depends(no_store)],
)
async def issue_token(
    r: R,
    form: Annotated[TokenRequest, Depends(token_request)],
    peer: Annotated[PeerIdentity | None, Depends(peer_certificate)],
) -> ServiceTokenView:
    """Give a service a token for one other service, bound to its client certificate (RFC 6749, RFC 8705)."""
    return ServiceTokenView.model_validate(await r.service_tokens.issue(form, peer))


@router.get("/jwks", dependencies=[Depends(among_services("public keys are public"))])
async def jwks(r: R, response: Response) -> JwksView:
    """Return the public keys that our tokens are verified with (RFC 7517)."""
    response.headers["Cache-Control"] = f"public, max-age={r.jwks_cache_seconds}"
    return JwksView(keys=[JwkView.model_validate(key) for key in r.signing_keys.published()])


@internal.post("/validate-token")
async def validate_token(body: ValidateRequest, r: R) -> ValidView | InvalidView:
    """Say what a user's access token is worth; a bad one is an answer, not an error."""
    return _verdict(await judged(r.verifier, body.token))


@internal.get("/user/{user_id}", responses=errors_of(UserNotFound))
async def internal_user(user_id: UserId, r: R) -> InternalUserView:
    """Return an account."""
    return InternalUserView.model_validate(await r.accounts.user(user_id))


@internal.get("/revocations")
async def revocations(r: R, after: Annotated[int, Query(ge=0, le=2**62)] = 0) -> Ok[RevocationsView]:
    """Return the sessions that ended, after an epoch, before their access tokens did; from memory."""
    return ok(RevocationsView.model_validate(r.revocations.since(after)))


@internal.post("/api-keys/verify")
async def verify_api_key(body: VerifyKeyRequest, r: R) -> Ok[VerifiedKeyView | InvalidView]:
    """Say whom an API key stands for; a bad one is an answer, not an error."""
    return ok(_key_verdict(await r.api_keys.verify(body.key)))


def _verdict(found: Claims | str) -> ValidView | InvalidView:
    if isinstance(found, str):
        return InvalidView(reason=found)
    return ValidView.model_validate(verdict_on(found))


def _key_verdict(owner: Principal | None) -> VerifiedKeyView | InvalidView:
    if owner is None:
        return InvalidView(reason="The API key is unknown, expired or revoked")
    return VerifiedKeyView(user_id=owner.subject, scopes=sorted(owner.scopes), roles=list(owner.roles))


async def on_oauth_error(_request: Request, error: Exception) -> JSONResponse:
    """Answer an ``OAuthError`` as RFC 6749 section 5.2 wants it."""
    assert isinstance(error, OAuthError)
    headers = {"Cache-Control": "no-store", **({"WWW-Authenticate": "Bearer"} if error.status == 401 else {})}
    return JSONResponse({"error": error.code, "error_description": error.description}, error.status, headers)


def document_service_tokens(app: FastAPI) -> None:
    """Say in the contract where services get their tokens: as an OAuth 2 scheme with its token URL."""
    scheme = {
        "type": "oauth2",
        "description": "Tokens that services call one another with, bound to the caller's certificate (RFC 8705).",
        "flows": {"clientCredentials": {"tokenUrl": "/v1/auth/token", "scopes": {}}},
    }
    plain = app.openapi

    def openapi() -> dict[str, Any]:
        contract = plain()
        contract["components"]["securitySchemes"]["ServiceToken"] = scheme
        return contract

    app.openapi = openapi  # type: ignore[method-assign]
